/**
 * The revokedCertificates of a CRL (RFC 5280 §5.1.2.6, §5.3) as a table that answers in constant time.
 *
 * A CA's list can have a million entries: as strings in a Map they cost 150 octets each and a collector's pause. Here the
 * entries stay where they are, in the CRL's own octets, and the table holds only where each begins: some eight octets an entry.
 * Every entry is checked when the table is made, in slices, so that no list is long enough to keep a request waiting.
 */

import { LIMITS } from '../limits.ts';
import { CrlRefused } from './crl-refused.ts';
import { DerError, elements, Fields, readWhole, TAG } from './der.ts';
import { readBoolean, readInteger, readOid, readTime } from './der-values.ts';

/** Entries between two yields: some two milliseconds. */
const SLICE_ENTRIES = 2_048;

/** CRLReason, RFC 5280 §5.3.1, by number. 7 is not used. */
const REASONS: readonly (string | undefined)[] = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
];
const REMOVE_FROM_CRL = 8;

const OID_REASON_CODE = '2.5.29.21';
const OID_INVALIDITY_DATE = '2.5.29.24';
const OID_CERTIFICATE_ISSUER = '2.5.29.29';

/** What nearly every entry's extensions are, octet for octet, up to the reason: not worth a general reader each time. */
const ONLY_A_REASON = Buffer.from('300c300a0603551d1504030a01', 'hex');

export interface RevokedEntry {
  /** Milliseconds since the epoch. */
  readonly date: number;
  /** A CRLReason's name; 'unspecified' where the entry gives none. */
  readonly reason: string;
}

export interface RevokedEntries {
  readonly count: number;
  /** Entries with removeFromCRL, which belongs into delta CRLs only: they say that a certificate is not revoked. */
  readonly removals: number;
  /** `serial`: lower-case hex without the sign's zero octet, as in CertificateFacts. Constant time. */
  find(serial: string): RevokedEntry | undefined;
}

export const NO_ENTRIES: RevokedEntries = Object.freeze({ count: 0, removals: 0, find: () => undefined });

/** Where one value lies; a plain object that is overwritten, for a million of them would be a million objects. */
interface Span {
  tag: number;
  start: number;
  end: number;
}

function readSpan(octets: Uint8Array, at: number, limit: number, span: Span): void {
  const tag = octets[at];
  const first = octets[at + 1];
  if (tag === undefined || first === undefined || at + 2 > limit) {
    throw new DerError('an entry that ends inside a tag or length');
  }
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 2) throw new DerError('an entry with an indefinite or needless length');
    length = 0;
    for (let i = 0; i < count; i += 1) length = length * 256 + (octets[start + i] ?? 0);
    start += count;
    if (length < 0x80 || (count === 2 && length < 0x100)) throw new DerError('a length that is not minimal');
  }
  if (start + length > limit) throw new DerError('an entry that is longer than what holds it');
  span.tag = tag;
  span.start = start;
  span.end = start + length;
}

/** The reason's number; throws for whatever would change what the entry means. */
function readEntryExtensions(octets: Uint8Array): number {
  const last = octets[ONLY_A_REASON.length];
  if (
    octets.length === ONLY_A_REASON.length + 1 &&
    ONLY_A_REASON.compare(octets, 0, octets.length - 1) === 0
  ) {
    return checkReason(last);
  }
  let reason = 0;
  const seen = new Set<string>();
  for (const node of elements(readWhole(octets), TAG.sequence, 'the extensions of an entry')) {
    const fields = new Fields(node, 'an extension of an entry');
    const oid = readOid(fields.next(TAG.oid, 'extnID'), 'extnID');
    const criticalNode = fields.optional(TAG.boolean);
    const critical = criticalNode !== undefined && readBoolean(criticalNode, 'critical');
    const value = fields.next(TAG.octetString, 'extnValue');
    fields.end();
    if (seen.has(oid)) throw new DerError(`the extension ${oid} twice in an entry`);
    seen.add(oid);
    switch (oid) {
      case OID_REASON_CODE: {
        const code = readInteger(readWhole(value.content), 'reasonCode', 0x0a);
        reason = checkReason(code.length === 1 ? code[0] : undefined);
        break;
      }
      case OID_INVALIDITY_DATE:
        readTime(readWhole(value.content), 'invalidityDate');
        break;
      case OID_CERTIFICATE_ISSUER:
        // RFC 5280 §5.3.3: this entry, and all after it, are about another CA's certificates.
        throw new CrlRefused('an indirect CRL (an entry with certificateIssuer), which is not supported');
      default:
        if (critical)
          throw new CrlRefused(`an entry with the critical extension ${oid}, which is not processed here`);
    }
  }
  return reason;
}

function checkReason(code: number | undefined): number {
  if (code === undefined || REASONS[code] === undefined)
    throw new DerError('an entry with an unknown reasonCode');
  return code;
}

const isDigit = (octet: number | undefined): boolean => octet !== undefined && octet >= 0x30 && octet <= 0x39;

/** The shape only; the calendar is looked at when somebody asks for the date. A wrong day does not make a revocation less of one. */
function checkTimeShape(octets: Uint8Array, { tag, start, end }: Span): void {
  const digits = tag === TAG.utcTime ? 12 : tag === TAG.generalizedTime ? 14 : -1;
  if (end - start !== digits + 1 || octets[end - 1] !== 0x5a)
    throw new DerError('a revocationDate that is no time');
  for (let at = start; at < end - 1; at += 1) {
    if (!isDigit(octets[at])) throw new DerError('a revocationDate that is no time');
  }
}

function checkSerialShape(octets: Uint8Array, { tag, start, end }: Span): void {
  if (tag !== TAG.integer || end === start) throw new DerError('an entry without a serial number');
  const first = octets[start] ?? 0;
  const second = octets[start + 1] ?? 0;
  const padded = end - start > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (padded) throw new DerError('a serial number with needless leading octets');
}

/** FNV-1a with a final mix. The issuer signed the list: nobody else can choose serials that collide. */
function hashOf(octets: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (octets[at] ?? 0), 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}

function sameOctets(
  octets: Uint8Array,
  start: number,
  other: Uint8Array,
  from: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i += 1) if (octets[start + i] !== other[from + i]) return false;
  return true;
}

/** Counts first, so that the table is made once in its size. */
function* countEntries(list: Uint8Array): Generator<void, number> {
  const span: Span = { tag: 0, start: 0, end: 0 };
  let count = 0;
  for (let at = 0; at < list.length; at = span.end) {
    readSpan(list, at, list.length, span);
    if (span.tag !== TAG.sequence) throw new DerError('an entry that is no sequence');
    count += 1;
    if (count > LIMITS.crlEntriesMax) throw new CrlRefused(`more than ${LIMITS.crlEntriesMax} entries`);
    if (count % (SLICE_ENTRIES * 8) === 0) yield;
  }
  return count;
}

/** `list`: the content of revokedCertificates; it is kept and must never change. Yields between slices of work. */
export function* readRevokedEntries(list: Uint8Array): Generator<void, RevokedEntries> {
  const entries = yield* countEntries(list);
  // At most half full, so that a look-up that finds nothing ends after a step or two.
  const mask = 2 ** Math.ceil(Math.log2(Math.max(2, entries * 2))) - 1;
  const slots = new Uint32Array(mask + 1);
  const span: Span = { tag: 0, start: 0, end: 0 };

  /** The slot of that serial, or the free one where it would be. */
  const slotOf = (octets: Uint8Array, start: number, end: number): number => {
    let slot = hashOf(octets, start, end) & mask;
    for (;;) {
      const offset = slots[slot] ?? 0;
      if (offset === 0) return slot;
      const entry = offset - 1;
      // Serial and entry were checked when they came in: both are short, so their lengths are single octets or follow 0x81.
      readSpan(list, entry, list.length, span);
      readSpan(list, span.start, span.end, span);
      if (span.end - span.start === end - start && sameOctets(octets, start, list, span.start, end - start))
        return slot;
      slot = (slot + 1) & mask;
    }
  };

  let count = 0;
  let removals = 0;
  let done = 0;
  for (let at = 0; at < list.length; ) {
    readSpan(list, at, list.length, span);
    const { start: entryStart, end: entryEnd } = span;
    readSpan(list, entryStart, entryEnd, span);
    checkSerialShape(list, span);
    const { start: serialStart, end: serialEnd } = span;
    readSpan(list, serialEnd, entryEnd, span);
    checkTimeShape(list, span);
    const reason = span.end === entryEnd ? 0 : readEntryExtensions(list.subarray(span.end, entryEnd));
    if (reason === REMOVE_FROM_CRL) {
      removals += 1;
    } else {
      // Of two entries for one serial the first stays: both revoke, and a removal takes nothing back.
      const slot = slotOf(list, serialStart, serialEnd);
      if (slots[slot] === 0) {
        slots[slot] = at + 1;
        count += 1;
      }
    }
    at = entryEnd;
    done += 1;
    if (done % SLICE_ENTRIES === 0) yield;
  }
  return Object.freeze<RevokedEntries>({
    count,
    removals,
    find(serial) {
      const octets = Buffer.from(/^[89a-f]/.test(serial) ? `00${serial}` : serial, 'hex');
      const offset = slots[slotOf(octets, 0, octets.length)] ?? 0;
      return offset === 0 ? undefined : readEntry(list, offset - 1);
    },
  });
}

function readEntry(list: Uint8Array, at: number): RevokedEntry {
  const span: Span = { tag: 0, start: 0, end: 0 };
  readSpan(list, at, list.length, span);
  const fields = new Fields(readWhole(list.subarray(at, span.end)), 'an entry');
  fields.next(TAG.integer, 'serial number');
  const time = fields.next(undefined, 'revocationDate');
  const extensions = fields.any();
  const reason = extensions === undefined ? 0 : readEntryExtensions(extensions.bytes);
  return { date: timeOrNever(time), reason: REASONS[reason] ?? 'unspecified' };
}

/** A date that no calendar has (the 31st of June) is shown as such; its entry revokes all the same. */
function timeOrNever(node: Parameters<typeof readTime>[0]): number {
  try {
    return readTime(node, 'revocationDate');
  } catch {
    return Number.NaN;
  }
}
