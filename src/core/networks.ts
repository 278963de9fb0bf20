import ipaddr from 'ipaddr.js';
import { boundedMemory } from './bounded-memory.ts';
import { StartupError } from './errors.ts';
import { LIMITS } from './limits.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A list of CIDR ranges as an operator wrote it. */
export interface Networks {
  readonly ranges: readonly string[];
  contains(address: string): boolean;
}

/** Ranges of which some have a name. */
export interface NamedNetworks extends Networks {
  /** Of the narrowest range that holds the address: its name, or the range itself where it has none. undefined: in none. */
  nameOf(address: string): string | undefined;
}

/**
 * One spelling per address: IPv4-mapped IPv6 becomes IPv4 (RFC 4291 §2.5.5.2), so that a dual-stack socket cannot be
 * used to walk around a rule written in IPv4; zone indices go. Undefined: not an address at all.
 */
export function canonicalAddress(text: string): string | undefined {
  // Nearly every peer's address is this, and is asked for at each connection.
  if (DOTTED_DECIMAL.test(text)) return text;
  const parsed = parseAddress(text);
  return parsed?.toString();
}

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
/** Four octets without leading zeros: one spelling, its canonical one. */
const DOTTED_DECIMAL = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);

function parseAddress(text: string): Address | undefined {
  const bare = text.split('%', 1)[0] ?? '';
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  // IPv4-compatible addresses (RFC 4291 §2.5.5.1) are deprecated, and the library takes them for IPv4-mapped ones.
  if (!ipaddr.IPv6.isValid(bare) || /^::\d+\./.test(bare)) return undefined;
  const address = ipaddr.IPv6.parse(bare);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/**
 * What limits count by: an IPv4 address, or an IPv6 /64, because whoever has one address of such a network has all of it
 * (RFC 6177 §2, RFC 7934). What is no address is one key of its own.
 */
export function addressKey(canonical: string): string {
  if (!canonical.includes(':')) return canonical;
  const address = parseAddress(canonical);
  if (address === undefined || address.kind() === 'ipv4') return canonical;
  const groups = (address as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16));
  return `${groups.join(':')}::/64`;
}

/** `text` is a comma-separated list of CIDRs; a bare address is a host. Throws StartupError naming the variable. */
export function parseNetworks(text: string, variable: string): Networks {
  const ranges = text.split(',').map((part) => part.trim());
  const parsed = ranges.map((range) => parseRange(range, variable));
  return Object.freeze({
    ranges: Object.freeze(ranges),
    contains(address: string): boolean {
      const candidate = parseAddress(address);
      return candidate !== undefined && parsed.some((range) => holds(range, candidate));
    },
  });
}

/** As `parseNetworks`, where each range may have a name: `ci=10.1.0.0/16`. One name may stand for several ranges. */
export function parseNamedNetworks(text: string, variable: string): NamedNetworks {
  const named = text.split(',').map((part) => {
    const [first = '', second, extra] = part.trim().split('=');
    const [name, range] = second === undefined ? [first, first] : [first, second];
    if (extra !== undefined || (second !== undefined && !NETWORK_NAME.test(name))) {
      throw new StartupError(
        `${variable}: "${part.trim()}" is not NAME=CIDR; a name is at most 63 lower-case letters, digits and hyphens`,
      );
    }
    return { name, range, parsed: parseRange(range, variable) };
  });
  // The narrowest first: an exception inside a network is what its writer means. The sort keeps the order of equals.
  const narrowest = named.toSorted((a, b) => b.parsed[1] - a.parsed[1]);
  const find = (address: string): string | undefined => {
    const candidate = parseAddress(address);
    if (candidate === undefined) return undefined;
    return narrowest.find(({ parsed }) => holds(parsed, candidate))?.name;
  };
  /** By address. The ranges never change, so nothing here is ever wrong. */
  const found = boundedMemory<string, { readonly name: string | undefined }>(LIMITS.namedAddressesMax);
  const nameOf = (address: string): string | undefined => {
    // Without a note that it was used: to move the one entry of a small Map makes the Map anew, twice for each request.
    let known = found.peek(address);
    if (known === undefined) {
      known = { name: find(address) };
      found.set(address, known);
    }
    return known.name;
  };
  return Object.freeze({
    ranges: Object.freeze(text.split(',').map((part) => part.trim())),
    contains: (address: string) => nameOf(address) !== undefined,
    nameOf,
  });
}

/** Letters first, so that no name is an address. */
const NETWORK_NAME = /^[a-z][a-z0-9-]{0,62}$/;

type Range = readonly [network: Address, bits: number];

function holds([network, bits]: Range, candidate: Address): boolean {
  return network.kind() === candidate.kind() && candidate.match(network, bits);
}

function parseRange(range: string, variable: string): Range {
  const [base = '', prefix, extra] = range.split('/');
  const address =
    ipaddr.IPv4.isValidFourPartDecimal(base) || ipaddr.IPv6.isValid(base) ? ipaddr.parse(base) : undefined;
  const width = address?.kind() === 'ipv4' ? 32 : 128;
  const bits = prefix === undefined ? width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (address === undefined || base.includes('%') || extra !== undefined || !(bits >= 0 && bits <= width)) {
    throw new StartupError(`${variable}: "${range}" is not a CIDR range such as 10.0.0.0/8 or fd00::/8`);
  }
  // No address is compared in its IPv4-mapped spelling, so no range may stand in it.
  if (address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress() && bits >= 96) {
    return [(address as ipaddr.IPv6).toIPv4Address(), bits - 96];
  }
  return [address, bits];
}
