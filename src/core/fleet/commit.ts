import { FluxgateError } from '../errors.ts';
import type { FleetTransactor } from './access.ts';
import { checkDnsFree } from './check-unique.ts';
import { insertionOrder } from './dependencies.ts';
import type { HistoryTransactor } from './history.ts';
import { inspectClusters } from './inspect-clusters.ts';
import type { Cluster, FleetKind, FleetObject, FleetObjects } from './objects.ts';
import type { Pause } from './pause.ts';
import type { ObjectChange, Plan } from './plan.ts';
import { type PlannedChanges, planChanges } from './plan-changes.ts';
import type { PlanMemory } from './plan-memory.ts';
import { countThrough, summarisePlan } from './plan-summary.ts';
import type { TellProgress } from './progress.ts';
import { refuseSecrets } from './secrets.ts';
import { stateOf } from './states.ts';

/** What a transaction knows of plans. */
export type PlanTransactor = Pick<HistoryTransactor, 'notePlan' | 'planApproval' | 'closePlan'>;

/** How one request wants its write treated. */
export interface WriteTerms {
  /** Only say what would happen. */
  readonly dryRun: boolean;
  /** The hash of the plan that the sender has seen and wants carried out. */
  readonly confirmPlan: string | undefined;
  /** PRUNE_GUARD. */
  readonly pruneGuard: boolean;
  /** Whether patches that look like secrets are let in. */
  readonly allowSecrets?: boolean;
  readonly pause: Pause;
  /** Of the store that is written to. */
  readonly memory?: PlanMemory;
  /** For whoever waits for the write. */
  readonly tell?: TellProgress;
  /** Called first, with the changes as they would be written: the place to authorise them. What it throws stops the write. */
  readonly authorise?: (changes: readonly ObjectChange[]) => void | Promise<void>;
  /** Called with the plan before it is carried out: the place to authorise by it. What it throws stops the write. */
  readonly review?: (plan: Plan, transactor: PlanTransactor) => Promise<void>;
}

/** For writes that nobody has to confirm: tests, and what the gateway does by itself. */
export const UNGUARDED: WriteTerms = Object.freeze({
  dryRun: false,
  confirmPlan: undefined,
  pruneGuard: false,
  pause: () => Promise.resolve(),
});

export interface Committed {
  readonly plan: Plan;
  /** False: it was a dry run, and nothing was written. */
  readonly carriedOut: boolean;
}

/**
 * The one way by which the fleet changes, inside one transaction: rights → plan → limits → guard → write. The changes have passed
 * their kinds' own rules. Throws `prune_guard` unless the plan is harmless or is exactly the one that was confirmed.
 */
export async function commitChanges(
  changes: readonly ObjectChange[],
  transactor: FleetTransactor & PlanTransactor,
  terms: WriteTerms,
): Promise<Committed> {
  await terms.authorise?.(changes);
  await checkDnsFree(changes, transactor, terms.pause);
  if (terms.allowSecrets !== true) await refuseSecrets(changes, terms.pause);
  const { plan, pins } = await inspectedPlan(changes, transactor, terms);
  if (terms.dryRun) return { plan, carriedOut: false };
  checkGuard(plan, terms);
  await terms.review?.(plan, transactor);
  await transactor.notePlan(summarisePlan(plan));
  for (const [index, change] of inWritingOrder(changes).entries()) {
    terms.tell?.('writing', index, changes.length);
    await write(change, transactor);
    await terms.pause();
  }
  await keepPins(changes, pins, transactor);
  return { plan, carriedOut: true };
}

async function inspectedPlan(
  changes: readonly ObjectChange[],
  transactor: FleetTransactor,
  { pause, tell, memory }: WriteTerms,
): Promise<PlannedChanges> {
  const revision = await transactor.newestRevision();
  const known = memory?.recall(changes, revision);
  if (known !== undefined) return known;
  const inspection = inspectClusters(changes);
  const planned = await planChanges(changes, transactor, pause, inspection, tell);
  inspection.throwIfRefused();
  await countThrough(planned.plan, pause);
  memory?.keep(changes, revision, planned);
  return planned;
}

/** What a cluster is served while it is frozen is kept apart from its document, which may change meanwhile. */
async function keepPins(
  changes: readonly ObjectChange[],
  pins: PlannedChanges['pins'],
  transactor: FleetTransactor,
): Promise<void> {
  for (const [id, answers] of pins) await transactor.pin(id, answers);
  for (const { kind, id, before, after } of changes) {
    if (kind !== 'cluster' || before === undefined || after === undefined) continue;
    const thaws = stateOf(before as Cluster) === 'frozen' && stateOf(after as Cluster) !== 'frozen';
    if (thaws) await transactor.pin(id, undefined);
  }
}

/** A confirmation that came must fit, needed or not: whoever sends one says what they expect to happen. */
function checkGuard(plan: Plan, { confirmPlan, pruneGuard }: WriteTerms): void {
  if (confirmPlan === plan.hash) return;
  const summary = summarisePlan(plan);
  if (confirmPlan !== undefined) {
    throw new FluxgateError(
      'prune_guard',
      'The plan is not the one that Confirm-Plan names: something has changed since. Nothing was written. Look at the new ' +
        'plan, and send the request again with its plan_hash.',
      { plan: summary },
    );
  }
  if (!pruneGuard || !summary.needs_confirmation) return;
  throw new FluxgateError(
    'prune_guard',
    'This would take away what clusters run, and nothing was written. Look at the plan (?dry_run=true shows all of it); ' +
      'then send the same request again with the header Confirm-Plan and its plan_hash.',
    { plan: summary },
  );
}

/**
 * Clusters that go give their names free first. What is created may be referred to by what is replaced, and by what is created
 * after it; what is deleted is in use until then. Nothing refers to a cluster.
 */
function inWritingOrder(changes: readonly ObjectChange[]): readonly ObjectChange[] {
  const going = changes.filter(({ after }) => after === undefined);
  const created = changes.filter(({ before }) => before === undefined);
  return [
    ...going.filter(({ kind }) => kind === 'cluster'),
    ...inReferenceOrder(created, ({ kind, after }) => (kind === 'cluster' ? undefined : after)),
    ...created.filter(({ kind, after }) => kind === 'cluster' && after !== undefined),
    ...changes.filter(({ before, after }) => before !== undefined && after !== undefined),
    ...inReferenceOrder(going, ({ kind, before }) => (kind === 'cluster' ? undefined : before)).reverse(),
  ];
}

/** Those that have such an object, each after all that it refers to. */
function inReferenceOrder(
  changes: readonly ObjectChange[],
  objectOf: (change: ObjectChange) => FleetObject | undefined,
): ObjectChange[] {
  const byObject = new Map<FleetObject, ObjectChange>();
  for (const change of changes) {
    const object = objectOf(change);
    if (object !== undefined) byObject.set(object, change);
  }
  const named = [...byObject].map(([object, { kind }]) => ({ kind, object }));
  return insertionOrder(named).ordered.flatMap(({ object }) => byObject.get(object) ?? []);
}

/** `change` pairs kind and object, which its type does not say. */
async function write({ kind, id, before, after }: ObjectChange, transactor: FleetTransactor): Promise<void> {
  if (after === undefined) await transactor.remove(kind, id);
  else if (before === undefined) await transactor.insert(kind, after as FleetObjects[FleetKind]);
  else await transactor.replace(kind, after as FleetObjects[FleetKind]);
}
