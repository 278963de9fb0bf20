import { FluxgateError, StartupError } from '../../../core/errors.ts';
import {
  candidateTrust,
  createPlanner,
  type PlanVerdict,
  strandedCrls,
} from '../../../core/identity/plan.ts';
import { combineRevocation } from '../../../core/identity/revocation.ts';
import { type Trust, trustWarnings } from '../../../core/identity/trust.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Presentation } from '../../presentations.ts';
import { numberOf } from '../parameters.ts';
import type { Answer } from '../respond.ts';
import type { HandlerParts } from './handlers.ts';
import { showTime } from './trust.ts';
import { byName } from './trust-report.ts';

interface PlanBody {
  readonly cluster_ca_pem?: string;
  readonly operator_ca_pem?: string;
  readonly remove_anchors?: readonly string[];
}

type Judged = readonly (readonly [Presentation, PlanVerdict])[];

/** POST /trust/plan: everybody who was seen by certificate, under the candidate, at this moment. */
export async function planTrust(
  parts: HandlerParts,
  query: Readonly<Record<string, unknown>>,
  body: unknown,
): Promise<Answer> {
  const limit = numberOf(query['limit'], LIMITS.pageItemsMax);
  const { snapshot } = parts.trust;
  const nowMs = parts.clock.now();
  const candidate = readCandidate(snapshot.trust, body as PlanBody);
  const seen = parts.presentations
    .all()
    .filter(({ credential }) => credential === 'certificate')
    .toSorted(byName);
  const plan = createPlanner({
    inForce: snapshot.trust,
    candidate,
    revocation: combineRevocation([snapshot.revocations, snapshot.crls]),
    revokedClusters: snapshot.revocations,
    nowMs,
  });
  const judged = await judgeAll(seen, plan);
  const of = (kind: Presentation['kind']): Judged => judged.filter(([one]) => one.kind === kind);
  const clusters = of('cluster');
  const known = new Set(clusters.map(([{ name }]) => name));
  const unknown = (await parts.store.sightings.clusterNames()).filter((name) => !known.has(name));
  return {
    status: 200,
    body: {
      as_of: showTime(nowMs),
      generation: snapshot.generation,
      safe: judged.every(([, verdict]) => verdict.stays || verdict.refusedNow),
      openssl_asked: false,
      anchors: showAnchors(candidate),
      warnings: [...trustWarnings(candidate, nowMs), ...strandedCrls(snapshot.crls.crls, candidate)],
      clusters: showGroup(clusters, limit),
      unknown: { total: unknown.length, names: unknown.slice(0, limit) },
      operators: showGroup(of('operator'), limit),
    },
  };
}

/** What would be refused at load is refused here, in the same words. */
function readCandidate(inForce: Trust, body: PlanBody): Trust {
  try {
    return candidateTrust(inForce, {
      clusterCaPem: body.cluster_ca_pem,
      operatorCaPem: body.operator_ca_pem,
      removeAnchors: body.remove_anchors,
    });
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

/** In slices: ten thousand verifications take seconds, and polls must not notice. */
async function judgeAll(
  seen: readonly Presentation[],
  plan: (one: Presentation) => PlanVerdict,
): Promise<Judged> {
  const judged: [Presentation, PlanVerdict][] = [];
  let sliceStart = performance.now();
  for (const presentation of seen) {
    judged.push([presentation, plan(presentation)]);
    if (performance.now() - sliceStart < LIMITS.sliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceStart = performance.now();
  }
  return judged;
}

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

function showGroup(judged: Judged, limit: number): object {
  const refused = judged.flatMap(([one, verdict]) => (verdict.stays ? [] : [showRefused(one, verdict)]));
  const stays = judged.flatMap(([{ name }, verdict]) => (verdict.stays ? [name] : []));
  return {
    refused: { total: refused.length, entries: refused.slice(0, limit) },
    stays: { total: stays.length, names: stays.slice(0, limit) },
  };
}

function showRefused(
  { name, certificate, lastSeenMs }: Presentation,
  { rule, position, detail, refusedNow }: Extract<PlanVerdict, { stays: false }>,
): object {
  return {
    name,
    rule,
    position,
    detail,
    refused_now: refusedNow,
    certificate_sha256: certificate?.sha256 ?? '',
    last_seen: showTime(lastSeenMs),
  };
}
