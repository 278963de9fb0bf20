import ipaddr from 'ipaddr.js';
import { StartupError } from './errors.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A list of CIDR ranges as an operator wrote it. */
export interface Networks {
  readonly ranges: readonly string[];
  contains(address: string): boolean;
}

/**
 * One spelling per address: IPv4-mapped IPv6 becomes IPv4 (RFC 4291 §2.5.5.2), so that a dual-stack socket cannot be
 * used to walk around a rule written in IPv4; zone indices go. Undefined: not an address at all.
 */
export function canonicalAddress(text: string): string | undefined {
  const parsed = parseAddress(text);
  return parsed?.toString();
}

function parseAddress(text: string): Address | undefined {
  const bare = text.split('%', 1)[0] ?? '';
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  // IPv4-compatible addresses (RFC 4291 §2.5.5.1) are deprecated, and the library takes them for IPv4-mapped ones.
  if (!ipaddr.IPv6.isValid(bare) || /^::\d+\./.test(bare)) return undefined;
  const address = ipaddr.IPv6.parse(bare);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** `text` is a comma-separated list of CIDRs; a bare address is a host. Throws StartupError naming the variable. */
export function parseNetworks(text: string, variable: string): Networks {
  const ranges = text.split(',').map((part) => part.trim());
  const parsed = ranges.map((range) => parseRange(range, variable));
  return Object.freeze({
    ranges: Object.freeze(ranges),
    contains(address: string): boolean {
      const candidate = parseAddress(address);
      if (candidate === undefined) return false;
      return parsed.some(
        ([network, bits]) => network.kind() === candidate.kind() && candidate.match(network, bits),
      );
    },
  });
}

function parseRange(range: string, variable: string): [Address, number] {
  const [base = '', prefix, extra] = range.split('/');
  const address =
    ipaddr.IPv4.isValidFourPartDecimal(base) || ipaddr.IPv6.isValid(base) ? ipaddr.parse(base) : undefined;
  const width = address?.kind() === 'ipv4' ? 32 : 128;
  const bits = prefix === undefined ? width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (address === undefined || base.includes('%') || extra !== undefined || !(bits >= 0 && bits <= width)) {
    throw new StartupError(`${variable}: "${range}" is not a CIDR range such as 10.0.0.0/8 or fd00::/8`);
  }
  return [address, bits];
}
