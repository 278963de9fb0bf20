/** Work on a whole fleet as steps of microseconds, each ending in a yield: whoever drives them lets requests in between. */

/** For whoever has nobody to let in. */
export function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

export function* mapInSteps<T, R>(items: Iterable<T>, map: (item: T) => R): Generator<void, R[]> {
  const mapped: R[] = [];
  for (const item of items) {
    mapped.push(map(item));
    yield;
  }
  return mapped;
}

export function* filterInSteps<T>(items: Iterable<T>, keep: (item: T) => boolean): Generator<void, T[]> {
  const kept: T[] = [];
  for (const item of items) {
    if (keep(item)) kept.push(item);
    yield;
  }
  return kept;
}

/** Items sorted at once: some milliseconds. */
const RUN_ITEMS = 4_096;

/** A sorted copy; equal items stay in their order. */
export function* sortInSteps<T>(items: readonly T[], compare: (a: T, b: T) => number): Generator<void, T[]> {
  let runs: T[][] = [];
  for (let at = 0; at < items.length; at += RUN_ITEMS) {
    runs.push(items.slice(at, at + RUN_ITEMS).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const longer: T[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      longer.push(yield* mergeInSteps(runs[at] ?? [], runs[at + 1] ?? [], compare));
    }
    runs = longer;
  }
  return runs[0] ?? [];
}

function* mergeInSteps<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<void, T[]> {
  const merged: T[] = [];
  let [left, right] = [0, 0];
  while (left < a.length && right < b.length) {
    const [one, other] = [a[left] as T, b[right] as T];
    const first = compare(one, other) <= 0;
    merged.push(first ? one : other);
    if (first) left++;
    else right++;
    if (merged.length % RUN_ITEMS === 0) yield;
  }
  yield;
  return merged.concat(a.slice(left), b.slice(right));
}

/** Octets of a piece of an answer, so that none takes long to encrypt. */
const PIECE_OCTETS = 65_536;

/** What JSON.stringify makes of plain objects, arrays and scalars, in pieces: an answer about a whole fleet has megabytes. */
export function* jsonInSteps(value: unknown): Generator<void, readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  let text = '';
  yield* writeJson(value, (more) => {
    text += more;
    if (text.length < PIECE_OCTETS) return;
    pieces.push(Buffer.from(text));
    text = '';
  });
  pieces.push(Buffer.from(text));
  return pieces;
}

/** Elements of an array up to which they are written in one step. */
const SHORT_ARRAY = 64;

function* writeJson(value: unknown, write: (text: string) => void): Generator<void, void> {
  const isPlain = typeof value === 'object' && value !== null;
  if (!isPlain || (Array.isArray(value) && value.length <= SHORT_ARRAY)) {
    write(JSON.stringify(value) ?? 'null');
    return;
  }
  let separator = '';
  if (Array.isArray(value)) {
    write('[');
    for (const item of value) {
      write(`${separator}${JSON.stringify(item) ?? 'null'}`);
      separator = ',';
      yield;
    }
    write(']');
    return;
  }
  write('{');
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue;
    write(`${separator}${JSON.stringify(name)}:`);
    separator = ',';
    yield* writeJson(field, write);
  }
  write('}');
}
