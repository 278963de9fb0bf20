/** The octets of a CRL file → the DER of each CRL in it: one as DER, or any number as PEM (RFC 7468 §6). Strict, and in slices. */

import { CrlRefused } from './crl-refused.ts';
import { DerError } from './der.ts';
import { printable } from './printable.ts';

/** Base64 characters decoded at once: a millisecond or two. A multiple of 4, so that no group is cut. */
const SLICE_CHARACTERS = 1_048_576;

const BEGIN = '-----BEGIN X509 CRL-----';
const END = '-----END X509 CRL-----';

function* decode(text: string, from: number, to: number): Generator<void, Uint8Array> {
  const pieces: Buffer[] = [];
  let carried = '';
  for (let at = from; at < to; at += SLICE_CHARACTERS) {
    const base64 = carried + text.slice(at, Math.min(at + SLICE_CHARACTERS, to)).replace(/[\r\n]+/g, '');
    const last = at + SLICE_CHARACTERS >= to;
    const whole = last ? base64.length : base64.length - (base64.length % 4);
    const group = base64.slice(0, whole);
    carried = base64.slice(whole);
    const octets = Buffer.from(group, 'base64');
    // Buffer skips what it does not know, and stops at a "=": only text that comes out the same again was read whole.
    if (octets.toString('base64') !== group || (!last && group.endsWith('=')))
      throw new DerError('a PEM block that is not base64');
    pieces.push(octets);
    yield;
  }
  const der = Buffer.concat(pieces);
  if (der.length === 0) throw new DerError('an empty PEM block');
  return der;
}

/** Text between blocks is comment, unless it looks like a marker: then it is another kind of block, or a garbled one. */
function checkComment(text: string): void {
  const marker = text.indexOf('-----');
  if (marker < 0) return;
  const line = text.slice(marker).split('\n', 1)[0] ?? '';
  throw new CrlRefused(`"${printable(line, 80)}" where only X509 CRL blocks belong`);
}

/** Throws DerError or CrlRefused. `octets` may become the DER itself and must never change. */
export function* readCrlBlocks(octets: Uint8Array): Generator<void, readonly Uint8Array[]> {
  if (octets.length === 0) throw new CrlRefused('the file is empty');
  // DER begins with a SEQUENCE's tag, which in text is a "0".
  if (octets[0] === 0x30) return [octets];
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
  yield;
  const found: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    const begin = text.indexOf(BEGIN, at);
    checkComment(text.slice(at, begin < 0 ? text.length : begin));
    if (begin < 0) break;
    const end = text.indexOf(END, begin);
    if (end < 0) throw new DerError(`block ${found.length + 1} has no END line: the file is truncated`);
    found.push(yield* decode(text, begin + BEGIN.length, end));
    at = end + END.length;
  }
  if (found.length === 0) throw new CrlRefused('neither DER nor PEM: the file holds no CRL');
  return found;
}
