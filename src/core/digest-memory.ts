/** What was used lately, of at most so many entries, by their SHA-256: 32 octets as a string, each character one of them. */
export interface DigestMemory<V> {
  readonly size: number;
  /** Counts as a use. */
  get(digest: string): V | undefined;
  set(digest: string, value: V): void;
}

const WORDS = 8;
const FIRST_CAPACITY = 64;
/**
 * Places at which an entry may stand. At most half of them are taken, so that chance alone needs some 60 of a quarter of a million; whoever
 * looks for digests that begin alike makes a lookup this long, and pushes out nothing but what begins so, too.
 */
const PLACES_MAX = 256;

/**
 * Remembers `max` entries; where it is full, one gives way that was not used since the last look at it. 100,000 of them are some three
 * numbers and 32 octets each in four tables: a Map would keep each digest as a string, in a table of all strings besides, which the
 * garbage collector goes through.
 */
export function digestMemory<V extends {}>(max: number): DigestMemory<V> {
  let capacity = 0;
  let size = 0;
  let digests = new Int32Array(0);
  /** 1: used since the hand last came by. */
  let used = new Uint8Array(0);
  const values: V[] = [];
  /** At the place that a digest's first word says, or soon after it: the number of an entry and one; 0: none. */
  let places = new Int32Array(0);
  let mask = 0;
  let hand = 0;

  const enlarge = (): void => {
    capacity = Math.min(max, Math.max(FIRST_CAPACITY, capacity * 2));
    const [digestsBefore, usedBefore] = [digests, used];
    digests = new Int32Array(capacity * WORDS);
    digests.set(digestsBefore);
    used = new Uint8Array(capacity);
    used.set(usedBefore);
    let count = FIRST_CAPACITY;
    while (count < capacity * 2) count *= 2;
    places = new Int32Array(count);
    mask = count - 1;
    for (let entry = 0; entry < size; entry++) {
      let place = homeOf(entry);
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = entry + 1;
    }
  };
  const homeOf = (entry: number): number => (digests[entry * WORDS] ?? 0) & mask;
  const isAt = (entry: number, digest: string): boolean => {
    for (let word = 0; word < WORDS; word++) {
      if (digests[entry * WORDS + word] !== wordOf(digest, word)) return false;
    }
    return true;
  };
  /** Its number; -1: none. */
  const find = (digest: string): number => {
    if (size === 0) return -1;
    let place = wordOf(digest, 0) & mask;
    for (let looked = 0; looked < PLACES_MAX; looked++) {
      const entry = (places[place] ?? 0) - 1;
      if (entry === -1 || isAt(entry, digest)) return entry;
      place = (place + 1) & mask;
    }
    return -1;
  };
  /** Whatever stands behind the place as if it were taken moves up. */
  const clear = (freed: number): void => {
    let hole = freed;
    for (let place = (hole + 1) & mask; places[place] !== 0; place = (place + 1) & mask) {
      const home = homeOf((places[place] ?? 0) - 1);
      if (((place - home) & mask) < ((place - hole) & mask)) continue;
      places[hole] = places[place] ?? 0;
      hole = place;
    }
    places[hole] = 0;
  };
  /** The number of an entry that is none any more. */
  const pushOut = (): number => {
    while (used[hand] === 1) {
      used[hand] = 0;
      hand = (hand + 1) % size;
    }
    const entry = hand;
    hand = (hand + 1) % size;
    let place = homeOf(entry);
    while (places[place] !== entry + 1) place = (place + 1) & mask;
    clear(place);
    return entry;
  };
  const put = (entry: number, digest: string, value: V): void => {
    for (let word = 0; word < WORDS; word++) digests[entry * WORDS + word] = wordOf(digest, word);
    used[entry] = 1;
    values[entry] = value;
  };

  return {
    get size() {
      return size;
    },
    get(digest) {
      const entry = find(digest);
      if (entry === -1) return undefined;
      used[entry] = 1;
      return values[entry];
    },
    set(digest, value) {
      if (digest.length !== WORDS * 4) throw new TypeError('not the octets of a SHA-256');
      const known = find(digest);
      if (known !== -1) {
        used[known] = 1;
        values[known] = value;
        return;
      }
      if (size === capacity && capacity < max) enlarge();
      let place = wordOf(digest, 0) & mask;
      for (let looked = 0; looked < PLACES_MAX; looked++) {
        const there = (places[place] ?? 0) - 1;
        if (there === -1) break;
        // As many as begin alike have no other place: the last of them gives way.
        if (looked === PLACES_MAX - 1) {
          put(there, digest, value);
          return;
        }
        place = (place + 1) & mask;
      }
      if (size < capacity) {
        places[place] = size + 1;
        put(size, digest, value);
        size += 1;
        return;
      }
      const entry = pushOut();
      // What was pushed out may have stood before the place that was found.
      place = wordOf(digest, 0) & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      put(entry, digest, value);
      places[place] = entry + 1;
    },
  };
}

function wordOf(digest: string, word: number): number {
  const at = word * 4;
  return (
    digest.charCodeAt(at) |
    (digest.charCodeAt(at + 1) << 8) |
    (digest.charCodeAt(at + 2) << 16) |
    (digest.charCodeAt(at + 3) << 24)
  );
}
