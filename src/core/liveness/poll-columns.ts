import { LIMITS } from '../limits.ts';
import type { Poll, PollCredential, RoutePolls } from './polls.ts';

/** The figures of one route's polls, a row for each cluster. */

const DIGEST_OCTETS = 32;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether the columns can say it as it is. */
export function isPlain({ burstsMs, digest, credential }: RoutePolls): boolean {
  return (
    burstsMs.length <= LIMITS.pollBurstsKept &&
    DIGEST.test(digest) &&
    (credential.method === 'certificate' || credential.method === 'token')
  );
}

export function enlarged<T extends Float64Array | Uint8Array>(before: T, after: T): T {
  after.set(before);
  return after;
}

/** Of one route, by the cluster's row: what RoutePolls has. */
export class Columns {
  /** 0: there is nothing in this row. */
  #method: Uint8Array;
  #lastMs: Float64Array;
  #sinceMs: Float64Array;
  #revision: Float64Array;
  /** One more than the revision: 0 is none. */
  #served: Float64Array;
  #burstsMs: Float64Array;
  #bursts: Uint8Array;
  #digest: Uint8Array;
  // Texts that others have as well: a cluster's name, its certificate's fingerprint, what few clients call themselves.
  readonly #names: (string | undefined)[] = [];
  readonly #sha256s: (string | undefined)[] = [];
  readonly #clients: (string | undefined)[] = [];

  constructor(capacity: number) {
    this.#method = new Uint8Array(capacity);
    this.#lastMs = new Float64Array(capacity);
    this.#sinceMs = new Float64Array(capacity);
    this.#revision = new Float64Array(capacity);
    this.#served = new Float64Array(capacity);
    this.#burstsMs = new Float64Array(capacity * LIMITS.pollBurstsKept);
    this.#bursts = new Uint8Array(capacity);
    this.#digest = new Uint8Array(capacity * DIGEST_OCTETS);
    this.#fillTexts(capacity);
  }

  enlarge(capacity: number): void {
    this.#method = enlarged(this.#method, new Uint8Array(capacity));
    this.#lastMs = enlarged(this.#lastMs, new Float64Array(capacity));
    this.#sinceMs = enlarged(this.#sinceMs, new Float64Array(capacity));
    this.#revision = enlarged(this.#revision, new Float64Array(capacity));
    this.#served = enlarged(this.#served, new Float64Array(capacity));
    this.#burstsMs = enlarged(this.#burstsMs, new Float64Array(capacity * LIMITS.pollBurstsKept));
    this.#bursts = enlarged(this.#bursts, new Uint8Array(capacity));
    this.#digest = enlarged(this.#digest, new Uint8Array(capacity * DIGEST_OCTETS));
    this.#fillTexts(capacity);
  }

  /** One after the other: a list with a hole of a thousand is a slow and large one in V8. */
  #fillTexts(capacity: number): void {
    for (const texts of [this.#names, this.#sha256s, this.#clients]) {
      while (texts.length < capacity) texts.push(undefined);
    }
  }

  lastOf(row: number): number {
    return this.#method[row] === 0 ? 0 : (this.#lastMs[row] ?? 0);
  }

  servedOf(row: number): number {
    return (this.#served[row] ?? 0) - 1;
  }

  serve(row: number, revision: number): void {
    this.#served[row] = revision + 1;
  }

  clear(row: number): void {
    if (this.#method[row] === 0) return;
    this.#method[row] = 0;
    this.#names[row] = undefined;
    this.#sha256s[row] = undefined;
    this.#clients[row] = undefined;
  }

  /** As `withPoll` has it. False: not where the clock went back, nor of a digest that is none. */
  poll(
    row: number,
    { lastMs, revision, credential, client }: Omit<Poll, 'digest'>,
    digestOf: () => string,
    name: string,
  ): boolean {
    const isKnown = this.#method[row] !== 0;
    if (isKnown && (this.#lastMs[row] ?? 0) > lastMs) return false;
    if (!isKnown || this.#revision[row] !== revision || this.servedOf(row) !== revision) {
      const digest = digestOf();
      if (!DIGEST.test(digest)) return false;
      if (!isKnown || digest !== this.#digestOf(row)) {
        this.#keepDigest(row, digest);
        this.#sinceMs[row] = lastMs;
      }
      this.#revision[row] = revision;
      this.serve(row, revision);
    }
    if (!isKnown) this.#bursts[row] = 0;
    this.#keepBurst(row, lastMs);
    this.#lastMs[row] = lastMs;
    this.#keepTexts(row, credential, client, name);
    return true;
  }

  /** True. */
  set(row: number, polls: RoutePolls, name: string): true {
    this.#lastMs[row] = polls.lastMs;
    this.#sinceMs[row] = polls.sinceMs;
    this.#revision[row] = polls.revision;
    this.#burstsMs.set(polls.burstsMs, row * LIMITS.pollBurstsKept);
    this.#bursts[row] = polls.burstsMs.length;
    this.#keepDigest(row, polls.digest);
    this.#keepTexts(row, polls.credential, polls.client, name);
    return true;
  }

  get(row: number, name: string): RoutePolls | undefined {
    const method = METHODS[this.#method[row] ?? 0];
    if (method === undefined) return undefined;
    const first = row * LIMITS.pollBurstsKept;
    const sha256 = this.#sha256s[row];
    const own = { method, name: this.#names[row] ?? name };
    return {
      lastMs: this.#lastMs[row] ?? 0,
      burstsMs: [...this.#burstsMs.subarray(first, first + (this.#bursts[row] ?? 0))],
      revision: this.#revision[row] ?? 0,
      digest: this.#digestOf(row),
      sinceMs: this.#sinceMs[row] ?? 0,
      credential: sha256 === undefined ? own : { ...own, sha256 },
      client: this.#clients[row],
    };
  }

  #keepBurst(row: number, lastMs: number): void {
    const first = row * LIMITS.pollBurstsKept;
    let count = this.#bursts[row] ?? 0;
    const newest = count === 0 ? Number.NEGATIVE_INFINITY : (this.#burstsMs[first + count - 1] ?? 0);
    if (lastMs - newest < LIMITS.pollBurstMs) return;
    if (count === LIMITS.pollBurstsKept) {
      this.#burstsMs.copyWithin(first, first + 1, first + count);
      count -= 1;
    }
    this.#burstsMs[first + count] = lastMs;
    this.#bursts[row] = count + 1;
  }

  #keepTexts(
    row: number,
    { method, name, sha256 }: PollCredential,
    client: string | undefined,
    own: string,
  ): void {
    this.#method[row] = METHODS.indexOf(method);
    const other = name === own ? undefined : name;
    if (this.#names[row] !== other) this.#names[row] = other;
    if (this.#sha256s[row] !== sha256) this.#sha256s[row] = sha256;
    if (this.#clients[row] !== client) this.#clients[row] = client;
  }

  #keepDigest(row: number, digest: string): void {
    const at = row * DIGEST_OCTETS;
    const octets = Buffer.from(digest.slice('sha256:'.length), 'hex');
    this.#digest.set(octets, at);
  }

  #digestOf(row: number): string {
    const at = row * DIGEST_OCTETS;
    return `sha256:${Buffer.from(this.#digest.buffer, at, DIGEST_OCTETS).toString('hex')}`;
  }
}

/** By the figure in a row. */
const METHODS: readonly (PollCredential['method'] | undefined)[] = [undefined, 'certificate', 'token'];
