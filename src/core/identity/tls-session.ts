import { contextConstructed, extentAt, TAG } from './der.ts';

/** IANA's names (TLS Supported Groups) by number: what this gateway agrees to, and its next of kin. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [23, 'secp256r1'],
  [24, 'secp384r1'],
  [25, 'secp521r1'],
  [29, 'x25519'],
  [30, 'x448'],
  [0x11eb, 'SecP256r1MLKEM768'],
  [0x11ec, 'X25519MLKEM768'],
  [0x11ed, 'SecP384r1MLKEM1024'],
]);

/** `kex_group` of SSL_SESSION, an EXPLICIT INTEGER (OpenSSL 3, ssl/ssl_asn1.c). */
const KEX_GROUP = contextConstructed(19);
/** `peer` of SSL_SESSION, the EXPLICIT Certificate that the peer proved in this handshake to hold the key of. */
const PEER = contextConstructed(3);
/** An uint32 and the octet that keeps it positive. */
const INTEGER_OCTETS_MAX = 5;

/** What a session says of the handshake that made it. */
export interface SessionFacts {
  /** Of the key exchange: a name of the closed list above, `other` for every other number, `none` where there is none. */
  readonly group: string;
  /** DER, a view of the session's octets, as X509Certificate's `raw` has it. undefined: the peer proved none. */
  readonly certificate: Uint8Array | undefined;
}

export const NO_FACTS: SessionFacts = Object.freeze({ group: 'none', certificate: undefined });

/**
 * From OpenSSL's DER of a session (`SSL_SESSION`); NO_FACTS where the octets are not what was expected. Never throws.
 *
 * The session holds the connection's master secret. Fields are stepped over by their lengths, and no octet but the group's own is
 * looked at, copied, or told of, in whatever goes wrong. To wipe the octets is for whoever had them made.
 */
export function factsOfSession(session: Uint8Array): SessionFacts {
  try {
    return readFacts(session) ?? NO_FACTS;
  } catch {
    // What is wrong is not told: of what is beside a secret, nothing is.
    return NO_FACTS;
  }
}

/** undefined: not what was expected, as a field that is there twice. */
function readFacts(session: Uint8Array): SessionFacts | undefined {
  const whole = extentAt(session, 0);
  if (session[0] !== TAG.sequence || whole.end !== session.length) return undefined;
  let group: number | undefined;
  let certificate: Uint8Array | undefined;
  for (let at = whole.contentAt; at < whole.end; ) {
    const { contentAt, end } = extentAt(session, at);
    if (session[at] === KEX_GROUP) {
      if (group !== undefined) return undefined;
      group = integerAt(session, contentAt, end);
      if (group === undefined) return undefined;
    } else if (session[at] === PEER) {
      if (certificate !== undefined || session[contentAt] !== TAG.sequence) return undefined;
      if (extentAt(session, contentAt).end !== end) return undefined;
      certificate = session.subarray(contentAt, end);
    }
    at = end;
  }
  return { group: group === undefined ? 'none' : (NAMES.get(group) ?? 'other'), certificate };
}

/** The one INTEGER between the two positions; undefined for anything else, a negative or a padded one included. */
function integerAt(octets: Uint8Array, start: number, end: number): number | undefined {
  const { contentAt, end: integerEnd } = extentAt(octets, start);
  const length = integerEnd - contentAt;
  if (octets[start] !== TAG.integer || integerEnd !== end || length < 1) return undefined;
  const first = octets[contentAt] ?? 0;
  const second = length > 1 ? (octets[contentAt + 1] ?? 0) : 0;
  if (first >= 0x80 || (first === 0 && length > 1 && second < 0x80) || length > INTEGER_OCTETS_MAX) {
    return undefined;
  }
  let value = 0;
  for (let at = contentAt; at < integerEnd; at += 1) value = value * 256 + (octets[at] ?? 0);
  return value;
}
