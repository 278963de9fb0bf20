import type { FleetReader } from './access.ts';
import type { FleetKind, FleetObject, FleetObjects } from './objects.ts';
import { kindDefinition, referencesOf } from './registry.ts';

/**
 * References among objects of one kind must not run in a circle: Flux would wait for ever for each to be ready before the
 * other. (Kinds refer to each other in one direction only; the registry says which.)
 */

/** One walk visits at most this many objects. Flux takes 10,000 inputs at most, so no larger catalogue can be rendered. */
const VISITS_MAX = 10_000;

/**
 * The circle that `object` would close, as ids from and to itself; undefined: none. Reads what it needs, one object at a time;
 * `object` itself is taken as given, whatever the store holds under its id.
 */
export async function findCycle<K extends FleetKind>(
  kind: K,
  object: FleetObjects[K],
  reader: Pick<FleetReader, 'get'>,
): Promise<readonly string[] | undefined> {
  const definition = kindDefinition(kind);
  if (!definition.refersTo.includes(kind)) return undefined;
  const neighbours = (of: FleetObjects[K]): string[] =>
    definition.references(of).flatMap((reference) => (reference.kind === kind ? [reference.id] : []));

  const cameFrom = new Map<string, string>();
  const open = neighbours(object).reverse();
  for (const id of open) cameFrom.set(id, object.id);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === object.id) return pathTo(object.id, cameFrom);
    if (cameFrom.size > VISITS_MAX) throw new Error(`${kind}: more than ${VISITS_MAX} objects hang together`);
    const next = await reader.get(kind, id);
    for (const neighbour of next === undefined ? [] : neighbours(next)) {
      if (cameFrom.has(neighbour)) continue;
      cameFrom.set(neighbour, id);
      open.push(neighbour);
    }
  }
  return undefined;
}

function pathTo(id: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const path = [id];
  for (let at = cameFrom.get(id); at !== undefined && at !== id; at = cameFrom.get(at)) path.unshift(at);
  return [id, ...path];
}

export interface NamedObject {
  readonly kind: FleetKind;
  readonly object: FleetObject;
}

export interface InsertionOrder {
  /** Every object after all that it refers to. Objects of a circle, and what hangs on them, are left out. */
  readonly ordered: readonly NamedObject[];
  readonly cycles: readonly { readonly kind: FleetKind; readonly path: readonly string[] }[];
}

/** For a whole fleet at once; references to what is not among `objects` are not its business. */
export function insertionOrder(objects: readonly NamedObject[]): InsertionOrder {
  const nodes = new Map(objects.map((entry) => [nodeKey(entry.kind, entry.object.id), entry]));
  const state = new Map<string, 'open' | 'done' | 'circular'>();
  const ordered: NamedObject[] = [];
  const cycles: { kind: FleetKind; path: string[] }[] = [];

  for (const start of nodes.keys()) {
    // An explicit stack: a chain of 10,000 dependencies must not exhaust the call stack.
    const path: { key: string; pending: string[]; circular: boolean }[] = [];
    const enter = (key: string): void => {
      state.set(key, 'open');
      path.push({ key, pending: targetsOf(nodes.get(key)), circular: false });
    };
    if (!state.has(start)) enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = top.pending.pop();
      if (target === undefined) {
        path.pop();
        leave(top, path.at(-1));
      } else if (!state.has(target)) {
        if (nodes.has(target)) enter(target);
      } else if (state.get(target) !== 'done') {
        if (state.get(target) === 'open')
          reportCycle(
            path.map(({ key }) => key),
            target,
          );
        top.circular = true;
      }
    }
  }
  return { ordered, cycles };

  function leave(entry: { key: string; circular: boolean }, above: { circular: boolean } | undefined): void {
    state.set(entry.key, entry.circular ? 'circular' : 'done');
    const node = nodes.get(entry.key);
    if (entry.circular && above !== undefined) above.circular = true;
    if (!entry.circular && node !== undefined) ordered.push(node);
  }

  function reportCycle(path: readonly string[], target: string): void {
    const circle = [...path.slice(path.indexOf(target)), target].map((key) => nodes.get(key));
    const kind = circle[0]?.kind;
    if (kind !== undefined) cycles.push({ kind, path: circle.flatMap((node) => node?.object.id ?? []) });
  }
}

function targetsOf(entry: NamedObject | undefined): string[] {
  if (entry === undefined) return [];
  const references = referencesOf(entry.kind, entry.object).map((reference) =>
    nodeKey(reference.kind, reference.id),
  );
  return references.reverse();
}

/** Kinds hold no slash. */
function nodeKey(kind: FleetKind, id: string): string {
  return `${kind}/${id}`;
}
