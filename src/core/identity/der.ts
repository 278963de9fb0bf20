/**
 * A reader of strict DER (X.690 §10): one tag-length-value at a time, as views into the input.
 *
 * Why not pkijs/asn1js: they read BER (indefinite and padded lengths, any BOOLEAN), hand out names as decoded strings
 * where we need their octets, and take a millisecond a certificate, as long as the whole handshake. Nothing here recurses,
 * so no nesting can exhaust the stack; each octet is looked at once per level that somebody asks for. pkijs mints the
 * tests' certificates and so is the second opinion on this reader; OpenSSL, which parses every certificate again, the third.
 */

/** The octets are not strict DER, or not the structure asked for. */
export class DerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DerError';
  }
}

export const TAG = Object.freeze({
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const);

/** The identifier octet of context-specific tag `n`. */
export const context = (n: number): number => 0x80 | n;
export const contextConstructed = (n: number): number => 0xa0 | n;

export interface DerNode {
  /** The identifier octet whole: class, constructed bit and number; multi-octet tags do not occur in X.509. */
  readonly tag: number;
  /** The value. */
  readonly content: Uint8Array;
  /** Tag, length and value. */
  readonly bytes: Uint8Array;
}

/** Where a value's content begins and where it ends, for who steps over values that are not theirs to look at. */
export function extentAt(input: Uint8Array, start: number): { contentAt: number; end: number } {
  const tag = input[start];
  const first = input[start + 1];
  if (tag === undefined || first === undefined) throw new DerError('the octets end inside a tag or length');
  if ((tag & 0x1f) === 0x1f) throw new DerError('a multi-octet tag');
  let length = first;
  let at = start + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    // X.690 §10.1: definite and minimal. Four octets are far beyond any input that is let in here.
    if (count === 0) throw new DerError('an indefinite length');
    if (count > 4) throw new DerError('a length of more than four octets');
    length = 0;
    for (let i = 0; i < count; i += 1) {
      const octet = input[at + i];
      if (octet === undefined) throw new DerError('the octets end inside a length');
      length = length * 256 + octet;
    }
    if (length < 0x80 || input[at] === 0) throw new DerError('a length that is not minimal');
    at += count;
  }
  const end = at + length;
  if (end > input.length) throw new DerError('a value that is longer than what holds it');
  return { contentAt: at, end };
}

function nodeAt(input: Uint8Array, start: number): { node: DerNode; next: number } {
  const { contentAt, end } = extentAt(input, start);
  const tag = input[start] ?? 0;
  return {
    node: { tag, content: input.subarray(contentAt, end), bytes: input.subarray(start, end) },
    next: end,
  };
}

/** The one value that fills `input` to its last octet: trailing octets are where a second meaning could hide. */
export function readWhole(input: Uint8Array): DerNode {
  const { node, next } = nodeAt(input, 0);
  if (next !== input.length) throw new DerError(`${input.length - next} trailing octets`);
  return node;
}

export function children(node: DerNode): DerNode[] {
  const found: DerNode[] = [];
  for (let at = 0; at < node.content.length; ) {
    const { node: child, next } = nodeAt(node.content, at);
    found.push(child);
    at = next;
  }
  return found;
}

export function expectTag(node: DerNode, tag: number, what: string): DerNode {
  if (node.tag !== tag) {
    throw new DerError(`${what} has tag 0x${node.tag.toString(16)} instead of 0x${tag.toString(16)}`);
  }
  return node;
}

/** The fields of a SEQUENCE in their order; `end` says that none is left over. */
export class Fields {
  readonly #nodes: readonly DerNode[];
  readonly #what: string;
  #at = 0;

  constructor(node: DerNode, what: string, tag: number = TAG.sequence) {
    this.#nodes = children(expectTag(node, tag, what));
    this.#what = what;
  }

  next(tag: number | undefined, field: string): DerNode {
    const node = this.#nodes[this.#at];
    if (node === undefined) throw new DerError(`${this.#what} has no ${field}`);
    if (tag !== undefined) expectTag(node, tag, `${field} of ${this.#what}`);
    this.#at += 1;
    return node;
  }

  optional(tag: number): DerNode | undefined {
    const node = this.#nodes[this.#at];
    if (node?.tag !== tag) return undefined;
    this.#at += 1;
    return node;
  }

  /** Whatever comes next, if anything does. */
  any(): DerNode | undefined {
    const node = this.#nodes[this.#at];
    if (node !== undefined) this.#at += 1;
    return node;
  }

  end(): void {
    const left = this.#nodes.length - this.#at;
    if (left > 0) throw new DerError(`${this.#what} has ${left} unexpected field(s) at its end`);
  }
}

/** The elements of a SEQUENCE OF or SET OF that X.509 says is never empty (SIZE (1..MAX)). */
export function elements(node: DerNode, tag: number, what: string): DerNode[] {
  const found = children(expectTag(node, tag, what));
  if (found.length === 0) throw new DerError(`${what} is empty`);
  return found;
}
