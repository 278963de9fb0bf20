import { isDeepStrictEqual } from 'node:util';
import type { CatalogueKind } from './access.ts';
import { isRecord, pointer } from './canonical.ts';
import type { RenderedInput } from './kind.ts';
import type { ClusterState, Environment, FleetKind, FleetObject } from './objects.ts';

/**
 * What a write would change for Flux: the difference between what each cluster is served before and after it. Pure; the same
 * plan is shown by a dry run, weighed by the prune guard and bound by its hash.
 */

/** One write of one object: `before` undefined is a creation, `after` undefined a removal. */
export interface ObjectChange {
  readonly kind: FleetKind;
  readonly id: string;
  readonly before: FleetObject | undefined;
  readonly after: FleetObject | undefined;
  /** The revision that this takes back: a cluster that was frozen then gets the answers back that it ended. */
  readonly undoes?: number;
}

/**
 * One input of a route, rendered only if it must be: two slots of equal `entry`, `assigned` and `apart` render to the same.
 */
export interface InputSlot {
  readonly id: string;
  /** What the catalogue says, by identity; undefined: of a frozen cluster, to be compared as it is. */
  readonly entry: object | undefined;
  /** What goes before the catalogue's word, as text. */
  readonly assigned: string;
  /** What has fields of its own, as text: the cluster's names, its patches and references to Secrets. */
  readonly apart: string;
  input(): RenderedInput;
}

export interface RouteSlots {
  readonly kind: CatalogueKind;
  /** Path segment, such as `platform-components`. */
  readonly route: string;
  /** How many inputs the route has; `slots` may leave out those that cannot differ. */
  readonly total: number;
  readonly slots: readonly InputSlot[];
}

/** What one cluster is served: `routes` undefined means 404. The routes left out are the same before and after. */
export interface ServedCluster {
  readonly id: string;
  readonly cluster_dns: string;
  readonly environment: Environment;
  readonly state: ClusterState;
  readonly routes: readonly RouteSlots[] | undefined;
}

export interface FieldChange {
  /** JSON pointer into the input, or into the object. */
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export type InputVerdict = 'added' | 'removed' | 'disabled' | 'enabled' | 'changed';

export interface InputChange {
  readonly id: string;
  readonly change: InputVerdict;
  readonly fields: readonly FieldChange[];
}

export interface RoutePlan {
  readonly route: string;
  readonly inputs_before: number;
  readonly inputs_after: number;
  /** Flux runs the whole set again when only the order changes. */
  readonly reordered: boolean;
  readonly inputs: readonly InputChange[];
}

/** `begins`: from 404 to an answer; `ends`: the other way; `moves`: under another DNS name, the old one answers 404. */
export type AnswerFate = 'stays' | 'begins' | 'ends' | 'moves';

export interface ClusterPlan {
  readonly id: string;
  readonly cluster_dns: string;
  readonly environment: Environment;
  /** Only where it changes. */
  readonly environment_before?: Environment;
  /** As it was when the write came; as it is created, for a new cluster. */
  readonly state: ClusterState;
  readonly answers: AnswerFate;
  /** Under this name a cluster was served before, and Flux there still holds what that was. */
  readonly revived?: true;
  /** Inputs that were served before, over the routes of this plan. */
  readonly served_before: number;
  readonly routes: readonly RoutePlan[];
}

/** How near to a limit a cluster's route comes, from 80 % on. */
export interface LimitWarning {
  readonly cluster: string;
  readonly route: string;
  readonly measure: 'inputs' | 'bytes';
  readonly value: number;
  readonly limit: number;
}

export interface ChangedObject {
  readonly kind: FleetKind;
  readonly id: string;
  readonly change: 'created' | 'replaced' | 'deleted';
  readonly fields: readonly FieldChange[];
}

export interface Plan {
  /** SHA-256, hex, over exactly what would change. */
  readonly hash: string;
  readonly objects: readonly ChangedObject[];
  /** Those whose answers change, ordered by id. */
  readonly clusters: readonly ClusterPlan[];
  readonly warnings: readonly LimitWarning[];
}

/**
 * What slots came to that differ alike: ten thousand clusters that assign one entry in the same words are changed by it in
 * the same fields. For one plan.
 */
export type ChangeMemory = Map<object, Map<object, Map<string, InputChange | undefined>>>;

/** undefined: nothing of what this cluster is served changes. */
export function planCluster(
  before: ServedCluster | undefined,
  after: ServedCluster | undefined,
  memory: ChangeMemory = new Map(),
): ClusterPlan | undefined {
  const known = after ?? before;
  if (known === undefined) return undefined;
  const answers = fateOf(before, after);
  const routes = planRoutes(before?.routes ?? [], after?.routes ?? [], memory);
  if (answers === 'stays' && routes.length === 0) return undefined;
  return {
    id: known.id,
    cluster_dns: known.cluster_dns,
    environment: known.environment,
    ...(before !== undefined && after !== undefined && before.environment !== after.environment
      ? { environment_before: before.environment }
      : {}),
    state: (before ?? known).state,
    answers,
    served_before: (before?.routes ?? []).reduce((sum, { total }) => sum + total, 0),
    routes,
  };
}

function fateOf(before: ServedCluster | undefined, after: ServedCluster | undefined): AnswerFate {
  const was = before?.routes !== undefined;
  const is = after?.routes !== undefined;
  if (was && !is) return 'ends';
  if (!was && is) return 'begins';
  return was && before?.cluster_dns !== after?.cluster_dns ? 'moves' : 'stays';
}

function planRoutes(
  before: readonly RouteSlots[],
  after: readonly RouteSlots[],
  memory: ChangeMemory,
): RoutePlan[] {
  const names = new Set([...after, ...before].map(({ route }) => route));
  const find = (routes: readonly RouteSlots[], name: string): Pick<RouteSlots, 'total' | 'slots'> =>
    routes.find(({ route }) => route === name) ?? { total: 0, slots: [] };
  return [...names].sort().flatMap((route) => {
    const was = find(before, route);
    const is = find(after, route);
    const inputs = planInputs(was.slots, is.slots, memory);
    const reordered = isReordered(was.slots, is.slots);
    if (inputs.length === 0 && !reordered) return [];
    return [{ route, inputs_before: was.total, inputs_after: is.total, reordered, inputs }];
  });
}

function planInputs(
  before: readonly InputSlot[],
  after: readonly InputSlot[],
  memory: ChangeMemory,
): InputChange[] {
  const was = new Map(before.map((slot) => [slot.id, slot]));
  const changes: InputChange[] = [];
  for (const slot of after) {
    const earlier = was.get(slot.id);
    was.delete(slot.id);
    const change = changeOf(earlier, slot, memory);
    if (change !== undefined) changes.push(change);
  }
  for (const gone of was.values()) {
    changes.push({ id: gone.id, change: 'removed', fields: diffFields(gone.input(), undefined) });
  }
  return changes;
}

function verdictOf(earlier: InputSlot | undefined, fields: readonly FieldChange[]): InputVerdict {
  if (earlier === undefined) return 'added';
  const flip = fields.find(({ field }) => field === '/enabled');
  if (flip === undefined) return 'changed';
  return flip.after === true ? 'enabled' : 'disabled';
}

/** What stands apart and stays is no part of a difference (FluxRoute.render is held to that): so it is no part of the key. */
function changeOf(was: InputSlot | undefined, is: InputSlot, memory: ChangeMemory): InputChange | undefined {
  if (was?.entry === undefined || is.entry === undefined || was.apart !== is.apart) return compared(was, is);
  if (was.entry === is.entry && was.assigned === is.assigned) return undefined;
  const key = was.assigned === is.assigned ? is.assigned : JSON.stringify([was.assigned, is.assigned]);
  const known = ofPair(was.entry, is.entry, memory);
  if (!known.has(key)) known.set(key, compared(was, is));
  return known.get(key);
}

/** Of one assignment that stays: `assigned` is its text, and `slots` are asked for where nothing is known yet. */
export function entryChange(
  entries: { readonly before: object; readonly after: object },
  assigned: string,
  memory: ChangeMemory,
  slots: () => readonly [before: InputSlot, after: InputSlot],
): InputChange | undefined {
  if (entries.before === entries.after) return undefined;
  const known = ofPair(entries.before, entries.after, memory);
  if (!known.has(assigned)) known.set(assigned, compared(...slots()));
  return known.get(assigned);
}

function ofPair(was: object, is: object, memory: ChangeMemory): Map<string, InputChange | undefined> {
  const from = memory.get(was) ?? new Map<object, Map<string, InputChange | undefined>>();
  const known = from.get(is) ?? new Map<string, InputChange | undefined>();
  memory.set(was, from.set(is, known));
  return known;
}

function compared(was: InputSlot | undefined, is: InputSlot): InputChange | undefined {
  const fields = diffFields(was?.input(), is.input());
  return fields.length === 0 ? undefined : { id: is.id, change: verdictOf(was, fields), fields };
}

/** Whether those that stay come in another order. */
function isReordered(before: readonly InputSlot[], after: readonly InputSlot[]): boolean {
  const is = new Set(after.map(({ id }) => id));
  const kept = before.filter(({ id }) => is.has(id));
  let at = 0;
  for (const { id } of after) if (kept[at]?.id === id) at++;
  return at < kept.length;
}

/** Maps are compared key by key, lists as a whole; sorted by field. */
export function diffFields(before: unknown, after: unknown): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  const path: string[] = [];
  const walk = (was: unknown, is: unknown): void => {
    if (was === is) return;
    const maps = [was, is].filter(isRecord);
    const bothMaps = maps.length === 2 || (maps.length === 1 && path.length === 0);
    if (bothMaps) {
      const keys = new Set(maps.flatMap((map) => Object.keys(map)));
      for (const key of [...keys].sort()) {
        path.push(key);
        walk(own(was, key), own(is, key));
        path.pop();
      }
    } else if (!isDeepStrictEqual(was, is)) {
      changes.push({
        field: path.length === 0 ? '/' : pointer(...path),
        ...(was === undefined ? {} : { before: was }),
        ...(is === undefined ? {} : { after: is }),
      });
    }
  };
  walk(before, after);
  return changes;
}

function own(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function describeChange({ kind, id, before, after }: ObjectChange): ChangedObject {
  const change = before === undefined ? 'created' : after === undefined ? 'deleted' : 'replaced';
  return { kind, id, change, fields: diffFields(before, after) };
}
