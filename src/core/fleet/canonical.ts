import type { RawObject } from './kind.ts';

/**
 * The same data gives the same bytes: maps are sorted, absent is absent. Copies are made with Object.fromEntries, which
 * defines own properties: a key named `__proto__` stays a key and never becomes a prototype.
 */

export function isRecord(value: unknown): value is RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A free-form map (labels, patches), by its keys' code units. Absent: empty. */
export function sortedMap<T>(map: Readonly<Record<string, T>> | undefined): Readonly<Record<string, T>> {
  const byKey = ([a]: readonly [string, T], [b]: readonly [string, T]): number =>
    a < b ? -1 : a > b ? 1 : 0;
  return Object.fromEntries(Object.entries(map ?? {}).sort(byKey));
}

/** `{...present({a: undefined})}` adds nothing: an absent optional field is not even a key. Names are our own, never a sender's. */
export function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const name of Object.keys(fields) as (keyof T)[]) {
    const value = fields[name];
    if (value !== undefined) kept[name] = value as Exclude<T[keyof T], undefined>;
  }
  return kept;
}

/**
 * `null` means absent where a field has a name: at the top, and in the entries of a list. In free-form maps, whose keys are
 * the sender's, a null is left for the schema to refuse.
 */
export function withoutNulls(raw: RawObject): RawObject {
  const fields = Object.entries(raw)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [key, Array.isArray(value) ? value.map(entryWithoutNulls) : value] as const);
  return Object.fromEntries(fields);
}

function entryWithoutNulls(entry: unknown): unknown {
  if (!isRecord(entry) || !Object.values(entry).includes(null)) return entry;
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null));
}

/** Freezes all the way down. For documents that were just parsed or built: nobody else holds a part of them. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) freezeTree(value);
  return value;
}

/** A plan of a whole fleet freezes half a million of them: no arrays of values, no look at what is frozen already. */
function freezeTree(value: object): void {
  if (Array.isArray(value)) {
    for (const part of value) if (typeof part === 'object' && part !== null) freezeTree(part);
  } else {
    for (const key in value) {
      const part: unknown = (value as RawObject)[key];
      if (typeof part === 'object' && part !== null) freezeTree(part);
    }
  }
  Object.freeze(value);
}

/** RFC 6901. Keys come from outside: bounded, so that a detail never carries a body back. */
export function pointer(...path: readonly (string | number)[]): string {
  let text = '';
  for (const part of path) text += `/${typeof part === 'number' ? part : escaped(part.slice(0, 200))}`;
  return text;
}

/** Seeds and plans make millions of pointers, hardly ever with anything to escape. */
function escaped(part: string): string {
  return /[~/]/.test(part) ? part.replaceAll('~', '~0').replaceAll('/', '~1') : part;
}

/** What `pointer` was given, as text; `/` is the whole document. */
export function pointerParts(field: string): readonly string[] {
  if (field === '/') return [];
  return field
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** For people: `labels/"example.com/team"/0`, each name as it stands in what they wrote. */
export function shownPath(parts: readonly string[]): string {
  return parts.map((part) => (part.includes('/') ? `"${part}"` : part)).join('/');
}
