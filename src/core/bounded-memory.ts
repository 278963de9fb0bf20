/** What was used last, of at most so many entries. */
export interface BoundedMemory<K, V> {
  readonly size: number;
  /** Counts as a use. */
  get(key: K): V | undefined;
  /** Counts as none. */
  peek(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): void;
  delete(key: K): void;
  /** Looks at each. */
  deleteWhere(isGone: (value: V) => boolean): void;
}

/**
 * Remembers the `max` entries that were used last, or a few less: where it is full, a sixty-fourth goes at once. There may be 131,072 of
 * them in each of several memories, so an entry is one of a Map and no more: less than half of what a list beside it takes, as
 * lru-cache has one.
 */
export function boundedMemory<K extends {}, V extends {}>(max: number): BoundedMemory<K, V> {
  /** Least lately used first. */
  const entries = new Map<K, V>();
  /** Used last, if it is there: whoever comes twice in a row moves nothing. A Map of one entry that is moved is made anew. */
  let newest: K | undefined;
  // To find the first, a Map passes by all that was moved since it last tidied up: so not for each. An iterator that is kept would
  // find it at once, and keep each table that the Map has ever had.
  const atOnce = Math.max(1, Math.floor(max / 64));
  const evict = (): void => {
    let left = atOnce;
    for (const key of entries.keys()) {
      entries.delete(key);
      left -= 1;
      if (left === 0) return;
    }
  };
  return {
    get size() {
      return entries.size;
    },
    get(key) {
      const value = entries.get(key);
      if (value === undefined || key === newest) return value;
      entries.delete(key);
      entries.set(key, value);
      newest = key;
      return value;
    },
    peek: (key) => entries.get(key),
    has: (key) => entries.has(key),
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      newest = key;
      if (entries.size > max) evict();
    },
    delete: (key) => void entries.delete(key),
    deleteWhere(isGone) {
      for (const [key, value] of entries) if (isGone(value)) entries.delete(key);
    },
  };
}
