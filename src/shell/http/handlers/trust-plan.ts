import { FluxgateError, StartupError } from '../../../core/errors.ts';
import {
  candidateTrust,
  createPlanner,
  type Planner,
  type PlanVerdict,
  type Refused,
  strandedCrls,
  type TrustChange,
} from '../../../core/identity/plan.ts';
import { type Trust, trustWarnings } from '../../../core/identity/trust.ts';
import { LIMITS } from '../../../core/limits.ts';
import { type Snapshot, trustStateOf } from '../../../core/snapshot.ts';
import { filterInSteps, jsonInSteps, mapInSteps, sortInSteps } from '../../../core/steps.ts';
import { createPause } from '../../pause.ts';
import type { Presentation, Presentations } from '../../presentations.ts';
import { inSlices } from '../../slices.ts';
import { numberOf } from '../parameters.ts';
import { type Answer, Pieces } from '../respond.ts';
import type { HandlerParts } from './handlers.ts';
import { showTime } from './trust.ts';
import { byName, showNames } from './trust-report.ts';

interface PlanBody {
  readonly cluster_ca_pem?: string;
  readonly operator_ca_pem?: string;
  readonly remove_anchors?: readonly string[];
}

type Judged = readonly (readonly [Presentation, PlanVerdict])[];

interface JudgedSeen {
  readonly judged: Judged;
  /** Seen, and what they presented is gone from the store: nobody can say what would become of them. */
  readonly lost: readonly Presentation[];
  /** Seen by another worker a moment ago, which has not written yet what they presented. */
  readonly unwritten: readonly Presentation[];
}

/** What a plan is made of, at one moment. */
interface Situation {
  readonly snapshot: Snapshot;
  readonly candidate: Trust;
  /** By name. */
  readonly seen: JudgedSeen;
  /** The DNS names of the fleet's clusters. */
  readonly registered: ReadonlySet<string>;
  readonly nowMs: number;
  /** Names in each list of the answer. */
  readonly limit: number;
}

/** POST /trust/plan: everybody who was seen by certificate, under the candidate, at this moment. */
export async function planTrust(
  parts: HandlerParts,
  query: Readonly<Record<string, unknown>>,
  body: unknown,
): Promise<Answer> {
  const { presentations, registered: readRegistered } = parts.sightings;
  const { snapshot } = parts.trust;
  const registered = await readRegistered();
  const nowMs = parts.clock.now();
  const { cluster_ca_pem, operator_ca_pem, remove_anchors } = body as PlanBody;
  const change = {
    clusterCaPem: cluster_ca_pem,
    operatorCaPem: operator_ca_pem,
    removeAnchors: remove_anchors,
  };
  // Ten thousand verifications take seconds, and polls must not notice.
  const candidate = await inSlices(readCandidate(snapshot.trust, change));
  const inForce = trustStateOf(snapshot);
  const judge = createPlanner({ inForce, candidate: { ...inForce, trust: candidate }, nowMs });
  const seen = await judgeSeen(presentations, judge);
  const limit = numberOf(query['limit'], LIMITS.pageItemsMax);
  const pieces = await inSlices(report({ snapshot, candidate, seen, registered, nowMs, limit }));
  return { status: 200, body: new Pieces(pieces) };
}

async function judgeSeen(presentations: Presentations, judge: Planner): Promise<JudgedSeen> {
  const seen = await inSlices(
    filterInSteps(presentations.all(), ({ credential }) => credential === 'certificate'),
  );
  const judged: (readonly [Presentation, PlanVerdict])[] = [];
  const lost: Presentation[] = [];
  const unwritten: Presentation[] = [];
  const pause = createPause();
  for (const one of await inSlices(sortInSteps(seen, byName))) {
    const presented = await presentations.withChain(one);
    if (presented !== undefined) judged.push([one, judge(presented)]);
    else if (presentations.isToBeWritten(one)) unwritten.push(one);
    else lost.push(one);
    await pause();
  }
  return { judged, lost, unwritten };
}

function* report(situation: Situation): Generator<void, readonly Uint8Array[]> {
  const { snapshot, candidate, seen, registered, nowMs, limit } = situation;
  const { judged, lost, unwritten } = seen;
  const unjudged = [...lost, ...unwritten];
  const clusters = yield* filterInSteps(judged, ([{ kind }]) => kind === 'cluster');
  const operators = yield* filterInSteps(judged, ([{ kind }]) => kind === 'operator');
  const ofClusters = unjudged.filter(({ kind }) => kind === 'cluster');
  const known = new Set([...clusters.map(([one]) => one), ...ofClusters].map(({ name }) => name));
  const unknown = yield* filterInSteps(registered, (name) => !known.has(name));
  return yield* jsonInSteps({
    as_of: showTime(nowMs),
    generation: snapshot.generation,
    safe: unjudged.length === 0 && judged.every(([, verdict]) => verdict.stays || verdict.refusedNow),
    openssl_asked: false,
    anchors: showAnchors(candidate),
    warnings: [
      ...trustWarnings(candidate, nowMs),
      ...(yield* strandedCrls(snapshot.crls.crls, candidate)),
      ...lostWarning(lost),
      ...unwrittenWarning(unwritten),
    ],
    clusters: yield* showGroup(clusters, ({ name }) => registered.has(name), limit),
    unknown: { total: unknown.length, names: unknown.slice(0, limit) },
    operators: yield* showGroup(operators, () => true, limit),
  });
}

const UNJUDGED_NAMES_MAX = 5;

function lostWarning(lost: readonly Presentation[]): readonly string[] {
  if (lost.length === 0) return [];
  return [
    `not judged, for the certificates that they presented are gone from the store: ${firstOf(lost)}; whoever comes again is judged again`,
  ];
}

function unwrittenWarning(unwritten: readonly Presentation[]): readonly string[] {
  if (unwritten.length === 0) return [];
  return [
    `not judged yet, for another worker saw their newest certificates and is about to write them: ${firstOf(unwritten)}; ask again in some seconds`,
  ];
}

function firstOf(several: readonly Presentation[]): string {
  const names = several.slice(0, UNJUDGED_NAMES_MAX).map(({ kind, name }) => `${kind} ${name}`);
  return `${names.join(', ')}${several.length > names.length ? ` and ${several.length - names.length} more` : ''}`;
}

/** What would be refused at load is refused here, in the same words. */
function* readCandidate(inForce: Trust, change: TrustChange): Generator<void, Trust> {
  try {
    return yield* candidateTrust(inForce, change);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    throw new FluxgateError('validation_error', 'This trust would be refused at load; see details.', {
      details: [{ field: fieldOf(error.message), problem: error.message }],
    });
  }
}

const FIELDS = ['cluster_ca_pem', 'operator_ca_pem', 'remove_anchors'] as const;

const fieldOf = (message: string): string => {
  const named = FIELDS.find((field) => message.startsWith(field));
  return named === undefined ? '' : `/${named}`;
};

function showAnchors({ cluster, operator }: Trust): readonly object[] {
  const show = (kind: Presentation['kind'], anchors: Trust['cluster']['anchors']): readonly object[] =>
    anchors.map(({ sha256, subject, notAfter }) => ({
      kind,
      sha256,
      subject: subject.readable,
      not_after: showTime(notAfter),
    }));
  return [...show('cluster', cluster.anchors), ...show('operator', operator?.anchors ?? [])];
}

function* showGroup(
  judged: Judged,
  isRegistered: (one: Presentation) => boolean,
  limit: number,
): Generator<void, object> {
  const refused: (readonly [Presentation, Refused])[] = [];
  const stays: Presentation[] = [];
  for (const [one, verdict] of judged) {
    if (verdict.stays) stays.push(one);
    else refused.push([one, verdict]);
    yield;
  }
  const entries = yield* mapInSteps(refused.slice(0, limit), ([one, verdict]) =>
    showRefused(one, verdict, isRegistered(one)),
  );
  return { refused: { total: refused.length, entries }, stays: showNames(stays, limit) };
}

function showRefused(
  { name, certificate, lastSeenMs }: Presentation,
  { rule, position, detail, refusedNow }: Refused,
  registered: boolean,
): object {
  return {
    name,
    registered,
    rule,
    position,
    detail,
    refused_now: refusedNow,
    certificate_sha256: certificate?.sha256 ?? '',
    last_seen: showTime(lastSeenMs),
  };
}
