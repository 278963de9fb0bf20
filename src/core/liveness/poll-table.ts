import { longestSilent } from './longest-silent.ts';
import { Columns, enlarged, isPlain } from './poll-columns.ts';
import {
  mergeRecords,
  type Poll,
  type PollRecord,
  type RefusedAttempt,
  type RouteRecord,
  touchedMs,
  withPoll,
} from './polls.ts';

/**
 * Records of polls by cluster, of which there may be 100,000: figures in columns, so that a poll writes a few numbers where they
 * stand and leaves nothing for the garbage collector; a record is made when somebody asks for it.
 */
export interface PollTable {
  readonly size: number;
  names(): IterableIterator<string>;
  get(name: string): PollRecord | undefined;
  /** Another number whenever `get` may say something else; undefined: there is no record. */
  versionOf(name: string): number | undefined;
  set(name: string, record: PollRecord): void;
  /**
   * What `withPoll` makes of it. `digestOf` is asked unless this very revision was the last that was noted here, of which the
   * digest is known.
   */
  polled(name: string, route: string, poll: Omit<Poll, 'digest'>, digestOf: () => string): void;
  refused(name: string, route: string, attempt: RefusedAttempt): void;
  /** The revision of the last poll that was noted by `polled`; -1: none was. */
  servedRevision(name: string, route: string): number;
  /** What `wrote` was told last; undefined: nothing was, or not since the record is there. */
  writtenAs(name: string): number | undefined;
  /** The record stands in the store, as this process made it, under this version (not 0) of the store's. */
  wrote(name: string, version: number): void;
  /** Milliseconds since the epoch; 0: never. */
  lastHeardMs(name: string): number;
  /** The `count` that were not heard of for longest. */
  silent(count: number): readonly string[];
  delete(name: string): void;
}

const FIRST_CAPACITY = 64;

/** `routes`: those that are in columns; whatever else is in a record is kept as it is. */
export function createPollTable(routes: readonly string[]): PollTable {
  const rows = new Map<string, number>();
  const freed: number[] = [];
  let capacity = FIRST_CAPACITY;
  let versions = new Float64Array(capacity);
  /** 0: none. */
  let written = new Float64Array(capacity);
  let changes = 0;
  const columns = new Map<string, Columns>();
  /** What has no column: of few, and seldom. */
  const besides = new Map<string, PollRecord>();

  const columnsOf = (route: string): Columns | undefined => {
    const known = columns.get(route);
    if (known !== undefined || !routes.includes(route)) return known;
    const made = new Columns(capacity);
    columns.set(route, made);
    return made;
  };
  const rowOf = (name: string): number => {
    const known = rows.get(name);
    if (known !== undefined) return known;
    const row = freed.pop() ?? rows.size;
    if (row === capacity) {
      capacity *= 2;
      versions = enlarged(versions, new Float64Array(capacity));
      written = enlarged(written, new Float64Array(capacity));
      for (const each of columns.values()) each.enlarge(capacity);
    }
    rows.set(name, row);
    return row;
  };
  const changed = (row: number): void => {
    changes += 1;
    versions[row] = changes;
  };
  const get = (name: string): PollRecord | undefined => {
    const row = rows.get(name);
    if (row === undefined) return undefined;
    const record: Record<string, RouteRecord> = { ...besides.get(name) };
    for (const [route, each] of columns) {
      const polls = each.get(row, name);
      if (polls !== undefined) record[route] = { polls, ...record[route] };
    }
    return record;
  };
  const set = (name: string, record: PollRecord): void => {
    const row = rowOf(name);
    const left: Record<string, RouteRecord> = {};
    for (const [route, { polls, ...rest }] of Object.entries(record)) {
      const isKept = polls !== undefined && isPlain(polls) && columnsOf(route)?.set(row, polls, name);
      if (!isKept && polls !== undefined) left[route] = { polls, ...rest };
      else if (rest.refused !== undefined) left[route] = rest;
    }
    for (const [route, each] of columns) {
      if (record[route]?.polls === undefined || left[route]?.polls !== undefined) each.clear(row);
    }
    if (Object.keys(left).length > 0) besides.set(name, left);
    else besides.delete(name);
    changed(row);
  };
  const lastMsOf = (name: string, row: number): number => {
    let last = 0;
    for (const each of columns.values()) last = Math.max(last, each.lastOf(row));
    const beside = besides.size === 0 ? undefined : besides.get(name);
    if (beside !== undefined) for (const one of Object.values(beside)) last = Math.max(last, touchedMs(one));
    return last;
  };

  return {
    get size() {
      return rows.size;
    },
    names: () => rows.keys(),
    get,
    versionOf(name) {
      const row = rows.get(name);
      return row === undefined ? undefined : versions[row];
    },
    set,
    polled(name, route, poll, digestOf) {
      const row = rowOf(name);
      const each = columnsOf(route);
      const isBesides = besides.size > 0 && besides.get(name)?.[route]?.polls !== undefined;
      if (each === undefined || isBesides || !each.poll(row, poll, digestOf, name)) {
        const before = get(name) ?? {};
        set(name, { ...before, [route]: withPoll(before[route], { ...poll, digest: digestOf() }) });
        each?.serve(row, poll.revision);
      }
      changed(row);
    },
    refused(name, route, refused) {
      set(name, mergeRecords(get(name) ?? {}, { [route]: { refused } }));
    },
    servedRevision(name, route) {
      const row = rows.get(name);
      return row === undefined ? -1 : (columns.get(route)?.servedOf(row) ?? -1);
    },
    writtenAs(name) {
      const row = rows.get(name);
      return row === undefined ? undefined : written[row] || undefined;
    },
    wrote(name, version) {
      const row = rows.get(name);
      if (row !== undefined) written[row] = version;
    },
    lastHeardMs(name) {
      const row = rows.get(name);
      return row === undefined ? 0 : lastMsOf(name, row);
    },
    silent: (count) =>
      longestSilent(
        rows.entries().map(([name, row]) => [name, lastMsOf(name, row)] as const),
        count,
      ),
    delete(name) {
      const row = rows.get(name);
      if (row === undefined) return;
      for (const each of columns.values()) {
        each.clear(row);
        each.serve(row, -1);
      }
      besides.delete(name);
      written[row] = 0;
      rows.delete(name);
      freed.push(row);
    },
  };
}
