import ipaddr from 'ipaddr.js';
import { LIMITS } from './limits.ts';
import { canonicalAddress } from './networks.ts';

/**
 * The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt, §2.1 and §2.2), as a load balancer says it before the
 * first octet of TLS. Strict: what the specification leaves open to be taken leniently is a refusal here.
 */

/** Why octets are not a header that is believed. A closed list: the metric's label and the log's reason. */
export const PROXY_REFUSALS = Object.freeze([
  /** Neither version begins like this; most often TLS from a peer that sends no header. */
  'no_header',
  /** The connection ended, or the time was over, before the header was complete. */
  'incomplete',
  'line_too_long',
  'line_ending',
  'unknown_family',
  'wrong_field_count',
  'bad_address',
  'bad_port',
  'unknown_version',
  'unknown_command',
  'not_a_stream',
  'unix_address',
  'too_long',
  'too_short',
  'bad_extension',
  'too_many_extensions',
] as const);
export type ProxyRefusal = (typeof PROXY_REFUSALS)[number];

export type ProxyHeader =
  | { readonly state: 'incomplete' }
  | { readonly state: 'refused'; readonly reason: ProxyRefusal }
  /** `source` undefined: the proxy speaks for itself (LOCAL, UNKNOWN, AF_UNSPEC), so the connection's own address counts. */
  | { readonly state: 'complete'; readonly octets: number; readonly source: string | undefined };

const V1_PREFIX = Buffer.from('PROXY ', 'latin1');
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** §2.1: "the receiver may use a 108-byte buffer" for a line of at most 107 octets, CRLF included. */
const V1_OCTETS_MAX = 107;
/** Signature, version and command, family and protocol, two octets of length. */
const V2_FIXED_OCTETS = 16;
const V2_ADDRESS_OCTETS = Object.freeze({ unspecified: 0, ipv4: 12, ipv6: 36 });

const INCOMPLETE = Object.freeze({ state: 'incomplete' } as const);

function refused(reason: ProxyRefusal): ProxyHeader {
  return { state: 'refused', reason };
}

/**
 * `received`: everything so far, from the connection's first octet on; call again with more while it is incomplete. Says no at
 * the first octet that cannot become a header, and never wants more than `LIMITS.proxyHeaderOctetsMax`.
 */
export function readProxyHeader(received: Uint8Array): ProxyHeader {
  if (beginsLike(received, V1_PREFIX)) return readLine(received);
  if (beginsLike(received, V2_SIGNATURE)) return readBinary(received);
  return refused('no_header');
}

/** As far as there are octets to compare. */
function beginsLike(received: Uint8Array, prefix: Uint8Array): boolean {
  const octets = Math.min(received.length, prefix.length);
  for (let at = 0; at < octets; at++) if (received[at] !== prefix[at]) return false;
  return true;
}

function readLine(received: Uint8Array): ProxyHeader {
  const window = Buffer.from(received.buffer, received.byteOffset, Math.min(received.length, V1_OCTETS_MAX));
  const end = window.findIndex((octet) => octet === 0x0d || octet === 0x0a);
  if (end < 0) return received.length < V1_OCTETS_MAX ? INCOMPLETE : refused('line_too_long');
  if (window[end] === 0x0a) return refused('line_ending');
  if (end + 1 >= V1_OCTETS_MAX) return refused('line_too_long');
  if (end + 1 >= window.length) return INCOMPLETE;
  if (window[end + 1] !== 0x0a) return refused('line_ending');
  const fields = window.toString('latin1', V1_PREFIX.length, end).split(' ');
  const octets = end + 2;
  const [family] = fields;
  // §2.1: what follows UNKNOWN "must be ignored".
  if (family === 'UNKNOWN') return { state: 'complete', octets, source: undefined };
  if (family !== 'TCP4' && family !== 'TCP6') return refused('unknown_family');
  if (fields.length !== 5) return refused('wrong_field_count');
  const [, from = '', to = '', fromPort = '', toPort = ''] = fields;
  const source = printedAddress(from, family);
  if (source === undefined || printedAddress(to, family) === undefined) return refused('bad_address');
  if (!isPort(fromPort) || !isPort(toPort)) return refused('bad_port');
  return { state: 'complete', octets, source };
}

function printedAddress(text: string, family: 'TCP4' | 'TCP6'): string | undefined {
  const wellFormed =
    family === 'TCP4'
      ? /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)
      : /^[0-9a-fA-F:.]+$/.test(text) && text.includes(':');
  return wellFormed ? canonicalAddress(text) : undefined;
}

/** §2.1: decimal, 0 to 65535, without leading zeros. */
function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readBinary(received: Uint8Array): ProxyHeader {
  const [versionAndCommand, familyAndProtocol] = [received[12], received[13]];
  if (versionAndCommand === undefined) return INCOMPLETE;
  if (versionAndCommand >> 4 !== 2) return refused('unknown_version');
  const command = versionAndCommand & 0x0f;
  if (command > 1) return refused('unknown_command');
  if (familyAndProtocol === undefined || received.length < V2_FIXED_OCTETS) return INCOMPLETE;
  const view = new DataView(received.buffer, received.byteOffset, received.byteLength);
  const length = view.getUint16(14);
  const octets = V2_FIXED_OCTETS + length;
  if (octets > LIMITS.proxyHeaderOctetsMax) return refused('too_long');
  const family = familyOf(familyAndProtocol);
  if (typeof family !== 'string') return family;
  if (length < V2_ADDRESS_OCTETS[family]) return refused('too_short');
  if (received.length < octets) return INCOMPLETE;
  const block = received.subarray(V2_FIXED_OCTETS, octets);
  const wrong = checkExtensions(block.subarray(V2_ADDRESS_OCTETS[family]));
  if (wrong !== undefined) return refused(wrong);
  // §2.2: LOCAL is the proxy's own connection (its health checks), whatever addresses stand there.
  const own = command === 0 || family === 'unspecified';
  return { state: 'complete', octets, source: own ? undefined : binaryAddress(block, family) };
}

function familyOf(octet: number): keyof typeof V2_ADDRESS_OCTETS | ProxyHeader {
  switch (octet) {
    case 0x00:
      return 'unspecified';
    case 0x11:
      return 'ipv4';
    case 0x21:
      return 'ipv6';
    case 0x12:
    case 0x22:
    case 0x32:
      return refused('not_a_stream');
    case 0x31:
      return refused('unix_address');
    default:
      return refused('unknown_family');
  }
}

function binaryAddress(block: Uint8Array, family: 'ipv4' | 'ipv6'): string | undefined {
  const octets = block.subarray(0, family === 'ipv4' ? 4 : 16);
  return canonicalAddress(ipaddr.fromByteArray([...octets]).toString());
}

/** §2.2.: one octet of type, two of length, the value. None is believed; all must be whole. */
function checkExtensions(octets: Uint8Array): ProxyRefusal | undefined {
  let at = 0;
  for (let count = 0; at < octets.length; count++) {
    if (count >= LIMITS.proxyExtensionsMax) return 'too_many_extensions';
    const [high, low] = [octets[at + 1], octets[at + 2]];
    if (high === undefined || low === undefined) return 'bad_extension';
    at += 3 + high * 256 + low;
  }
  return at === octets.length ? undefined : 'bad_extension';
}
