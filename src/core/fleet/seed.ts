import { StartupError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { FleetTransactor } from './access.ts';
import { isRecord, pointerParts, shownPath } from './canonical.ts';
import { inspectObject } from './check-object.ts';
import { insertionOrder, type NamedObject } from './dependencies.ts';
import { limitProblems, missingDependencies } from './inspect-clusters.ts';
import type { FleetReference, RawObject } from './kind.ts';
import { mentionsIn } from './mentions.ts';
import type { Cluster, FleetCollections, FleetKind, FleetObject, FleetObjects } from './objects.ts';
import { FLEET_KINDS, kindDefinition, kindOfCollection, referencesOf } from './registry.ts';
import type { FleetSchemas } from './schemas.ts';
import { readSeedText, type SeedText } from './seed-text.ts';
import type { Catalogue } from './served.ts';

/** A whole fleet, checked: every object valid, every reference found, no id or DNS name twice, no cycle. Frozen. */
export type SeedFleet = { readonly [K in FleetKind as FleetCollections[K]]: readonly FleetObjects[K][] };

/** A refusal to start lists this many problems and counts the others. */
const PROBLEMS_MAX = 50;

interface Entry {
  readonly kind: FleetKind;
  readonly index: number;
  readonly id: string | undefined;
  /** undefined: not valid, which has been reported. */
  readonly object: FleetObject | undefined;
  /** Of one that is not valid. */
  readonly mentions: readonly FleetReference[];
}

/** Collects what is wrong, each as one line that names the object. */
interface Problems {
  add(path: readonly (string | number)[], where: string, problem: string): void;
  throwIfAny(): void;
}

/**
 * `text` is JSON or YAML, `name` what the user calls it. Throws one StartupError that lists all problems, a line each:
 * `seed fleet.json: clusters[3] "us-east-1": platform_components/2/id … (line 40)`.
 */
export function parseSeed(text: string, name: string, schemas: FleetSchemas): SeedFleet {
  if (text.length > LIMITS.seedBytesMax) {
    throw new StartupError(`seed ${name}: is larger than ${LIMITS.seedBytesMax} bytes`);
  }
  const seed = readSeedText(text, name);
  const problems = collectProblems(name, seed);
  const entries = readEntries(seed.value, schemas, problems);
  reportRepeats(entries, problems);
  reportDangling(entries, problems);
  reportTooMuch(entries, problems);
  const valid = entries.flatMap(({ kind, object }): NamedObject[] =>
    object === undefined ? [] : [{ kind, object }],
  );
  for (const { kind, path } of insertionOrder(valid).cycles) {
    const entry = entries.find((candidate) => candidate.kind === kind && candidate.id === path[0]);
    if (entry !== undefined)
      problems.add(pathOf(entry), whereOf(entry), `has a dependency cycle ${path.join(' → ')}`);
  }
  problems.throwIfAny();
  const collections = FLEET_KINDS.map((kind) => {
    const objects = valid.filter((entry) => entry.kind === kind).map((entry) => entry.object);
    return [kindDefinition(kind).collection, Object.freeze(objects)] as const;
  });
  return Object.freeze(Object.fromEntries(collections)) as SeedFleet;
}

/**
 * Enabled components whose dependencies are not assigned to their cluster, or not enabled there: Flux waits for them, as it did
 * before the fleet moved here. So they are told, and not refused; a write that adds one is.
 */
export function unmetDependencies(fleet: SeedFleet): readonly string[] {
  const components = new Map(fleet.platform_components.map((component) => [component.id, component]));
  const catalogue: Catalogue = (_kind, id) => components.get(id) as never;
  return fleet.clusters.flatMap((cluster) =>
    missingDependencies(cluster, catalogue).map(
      ({ field, problem }) => `/clusters/${cluster.id}${field}: ${problem}`,
    ),
  );
}

/** Inserts every object after all that it refers to. */
export async function loadSeed(transactor: FleetTransactor, fleet: SeedFleet): Promise<void> {
  const objects = FLEET_KINDS.flatMap((kind) => {
    const collection: readonly FleetObject[] = fleet[kindDefinition(kind).collection];
    return collection.map((object) => ({ kind, object }));
  });
  const { ordered, cycles } = insertionOrder(objects);
  if (cycles.length > 0) throw new Error(`seed: dependency cycle ${cycles[0]?.path.join(' → ')}`);
  for (const { kind, object } of ordered) await transactor.insert(kind, object as FleetObjects[typeof kind]);
}

function readEntries(value: unknown, schemas: FleetSchemas, problems: Problems): Entry[] {
  const known = FLEET_KINDS.map((kind) => kindDefinition(kind).collection).join(', ');
  if (!isRecord(value)) {
    problems.add([], '', `must be an object of ${known}`);
    return [];
  }
  const entries: Entry[] = [];
  for (const [collection, list] of Object.entries(value)) {
    const kind = kindOfCollection(collection);
    if (kind === undefined) {
      problems.add([collection], '', `has the key "${collection}", which is none of ${known}`);
    } else if (Array.isArray(list)) {
      for (const [index, raw] of list.entries()) entries.push(readEntry(kind, index, raw, schemas, problems));
    } else if (list !== null) {
      problems.add([collection], collection, 'must be a list');
    }
  }
  // An empty fleet would mark the store as initialised for ever: surely not what a seed was configured for.
  if (entries.length === 0)
    problems.add([], '', 'defines no object; leave SEED_FILE unset to start with an empty store');
  return entries;
}

function readEntry(
  kind: FleetKind,
  index: number,
  raw: unknown,
  schemas: FleetSchemas,
  problems: Problems,
): Entry {
  const renamed = withId(raw);
  const id = isRecord(renamed.value) && typeof renamed.value.id === 'string' ? renamed.value.id : undefined;
  const checked = inspectObject(kind, schemas, renamed.value);
  const entry = checked.ok
    ? { kind, index, id, object: checked.object, mentions: [] }
    : { kind, index, id, object: undefined, mentions: mentionsIn(kind, renamed.value, checked.problems) };
  for (const field of renamed.ambiguous) {
    problems.add(
      [...pathOf(entry), ...field],
      whereOf(entry),
      `${[...field, 'id'].join('/')} and _id differ: keep one`,
    );
  }
  for (const { field, problem } of checked.ok ? [] : checked.problems) {
    const parts = pointerParts(field);
    const said = `${parts.length === 0 ? '' : `${shownPath(parts)} `}${problem}${hint(kind, field)}`;
    problems.add([...pathOf(entry), ...parts], whereOf(entry), said);
  }
  return entry;
}

/** `_id` is taken for `id`, at the top and in the entries of a list. */
function withId(raw: unknown): {
  readonly value: unknown;
  readonly ambiguous: readonly (readonly (string | number)[])[];
} {
  if (!isRecord(raw)) return { value: raw, ambiguous: [] };
  const ambiguous: (string | number)[][] = [];
  const rename = (record: RawObject, path: (string | number)[]): RawObject => {
    if (!Object.hasOwn(record, '_id')) return record;
    const { _id: underscored, ...rest } = record;
    const plain = rest.id ?? null;
    if (plain !== null && underscored !== null && plain !== underscored) ambiguous.push(path);
    return { id: plain ?? underscored, ...(plain === null ? without(rest, 'id') : rest) };
  };
  const fields = Object.entries(rename(raw, [])).map(([key, value]) => {
    if (!Array.isArray(value)) return [key, value] as const;
    return [key, value.map((item, i) => (isRecord(item) ? rename(item, [key, i]) : item))] as const;
  });
  return { value: Object.fromEntries(fields), ambiguous };
}

function without(record: RawObject, key: string): RawObject {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

function reportRepeats(entries: readonly Entry[], problems: Problems): void {
  const first = new Map<string, Entry>();
  for (const entry of entries) {
    const { unique } = kindDefinition(entry.kind);
    const values = unique.map(
      (field) => [field, isRecord(entry.object) ? entry.object[field] : undefined] as const,
    );
    for (const [field, value] of [['id', entry.id] as const, ...values]) {
      if (value === undefined) continue;
      const key = JSON.stringify([entry.kind, field, value]);
      const earlier = first.get(key);
      if (earlier === undefined) first.set(key, entry);
      else
        problems.add([...pathOf(entry), field], whereOf(entry), `${field} is taken by ${whereOf(earlier)}`);
    }
  }
}

function reportDangling(entries: readonly Entry[], problems: Problems): void {
  const defined = new Set(entries.map((entry) => `${entry.kind}/${entry.id}`));
  for (const entry of entries) {
    const mentions = entry.object === undefined ? entry.mentions : referencesOf(entry.kind, entry.object);
    for (const { list, position, field, kind, id } of mentions) {
      if (defined.has(`${kind}/${id}`)) continue;
      const { title } = kindDefinition(kind);
      const problem = `${list}/${position} refers to ${title} "${id}", which the seed does not define`;
      problems.add([...pathOf(entry), ...pointerParts(field)], whereOf(entry), problem);
    }
  }
}

/** As for every write: what Flux would cut off is not let in. */
function reportTooMuch(entries: readonly Entry[], problems: Problems): void {
  const objects = new Map(entries.map(({ kind, id, object }) => [`${kind}/${id}`, object]));
  // What is dangling or invalid has been reported: such a cluster cannot be judged.
  const isWhole = (cluster: Cluster): boolean =>
    referencesOf('cluster', cluster).every(({ kind, id }) => objects.get(`${kind}/${id}`) !== undefined);
  const catalogue: Catalogue = (kind, id) => objects.get(`${kind}/${id}`) as never;
  for (const entry of entries) {
    if (entry.kind !== 'cluster' || entry.object === undefined) continue;
    const cluster = entry.object as Cluster;
    if (!isWhole(cluster)) continue;
    for (const { field, problem } of limitProblems(cluster, catalogue)) {
      const parts = pointerParts(field);
      problems.add([...pathOf(entry), ...parts], whereOf(entry), `${shownPath(parts)} ${problem}`);
    }
  }
}

/** Seeds of the bearer-token service keep these inside the cluster; here each is one object that clusters share. */
function hint(kind: FleetKind, field: string): string {
  const embedded = /^\/(?<list>namespaces|rolebindings)\/\d+\/(?:labels|annotations|role|subjects)$/.exec(
    field,
  );
  if (kind !== 'cluster' || embedded === null) return '';
  return `: a cluster lists ids only, so move it to the seed's top-level "${embedded.groups?.list}"`;
}

function pathOf(entry: Entry): (string | number)[] {
  return [kindDefinition(entry.kind).collection, entry.index];
}

function whereOf(entry: Entry): string {
  const id = entry.id === undefined ? '' : ` ${JSON.stringify(entry.id.slice(0, 100))}`;
  return `${kindDefinition(entry.kind).collection}[${entry.index}]${id}`;
}

function collectProblems(name: string, seed: SeedText): Problems {
  const lines: string[] = [];
  let total = 0;
  return {
    add(path, where, problem) {
      total++;
      if (total > PROBLEMS_MAX) return;
      const line = path.length === 0 ? undefined : seed.lineOf(path);
      const at = line === undefined ? '' : ` (line ${line})`;
      lines.push(`seed ${name}: ${where === '' ? '' : `${where}: `}${problem}${at}`);
    },
    throwIfAny() {
      if (total === 0) return;
      if (total > PROBLEMS_MAX) lines.push(`seed ${name}: and ${total - PROBLEMS_MAX} more problems`);
      throw new StartupError(lines.join('\n'));
    },
  };
}
