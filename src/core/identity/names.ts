/**
 * The names that identities are made of. Each has one canonical form, found once; after that only equality counts:
 * no wildcard, no pattern, no case folding at the point of use (Traefik, Caddy CVE-2026-27588; Go CVE-2025-61727).
 */

import { domainToASCII, domainToUnicode } from 'node:url';
import { LIMITS } from '../limits.ts';

/** Letters, digits, hyphens inside (RFC 1123 §2.1), already in lower case. No underscore, no `*`, nothing else. */
const LDH_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** Nearly every name there is: all of that, without a reserved pair of hyphens beside it, and a last label of letters alone. */
const ORDINARY_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]{1,63}$/;
/** What resolvers and URL parsers take for a number: `10.0.0.1`, `127.1`, `0x7f.1` are addresses, not names. */
const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/;
const ASCII_GRAPHIC = /^[\x21-\x7e]+$/;

/**
 * Whether an `xn--` label is the one encoding of the label that it decodes to. A fake one (`xn--a`, or ASCII in disguise
 * such as `xn--example-`) is harmless to our comparison of octets, but whoever shows the decoded form would show a name
 * that is somebody else's.
 */
function isALabel(label: string): boolean {
  const decoded = domainToUnicode(label);
  return decoded !== '' && decoded !== label && domainToASCII(decoded) === label;
}

function isCanonicalLabel(label: string): boolean {
  if (label.length > LIMITS.dnsLabelOctetsMax || !LDH_LABEL.test(label)) return false;
  // RFC 5890 §2.3.1: hyphens in third and fourth place are reserved; only A-labels have a meaning.
  if (label.startsWith('--', 2)) return label.startsWith('xn--') && isALabel(label);
  return true;
}

/**
 * Whether `text` is already the canonical form of a DNS name: lower case, no trailing dot, LDH labels of 1 to 63 octets, at
 * most 253 octets, A-labels as they are. A single label (`localhost`) is a name; an IPv4 address is not.
 */
export function isCanonicalDnsName(text: string): boolean {
  if (text.length === 0 || text.length > LIMITS.dnsNameOctetsMax) return false;
  if (ORDINARY_NAME.test(text) && !text.includes('--')) return true;
  const labels = text.split('.');
  return labels.every(isCanonicalLabel) && !NUMERIC_LABEL.test(labels.at(-1) ?? '');
}

/** The canonical form: ASCII letters lower-cased, one trailing dot dropped; undefined for what has none. */
export function canonicalDnsName(text: string): string | undefined {
  // Before lower-casing: toLowerCase turns U+212A (the Kelvin sign) into an ASCII k.
  if (text.length > LIMITS.dnsNameOctetsMax + 1 || !ASCII_GRAPHIC.test(text)) return undefined;
  const lower = text.toLowerCase();
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  return isCanonicalDnsName(name) ? name : undefined;
}

/** Printable ASCII as text; undefined for anything with a NUL, a control, a space or a non-ASCII octet (CVE-2025-66220). */
export function asciiOf(octets: Uint8Array, octetsMax: number): string | undefined {
  if (octets.length === 0 || octets.length > octetsMax) return undefined;
  if (!octets.every((octet) => octet >= 0x21 && octet <= 0x7e)) return undefined;
  return Buffer.from(octets).toString('latin1');
}

/** The canonical DNS name that the octets of a dNSName spell. */
export function dnsNameFromOctets(octets: Uint8Array): string | undefined {
  const text = asciiOf(octets, LIMITS.dnsNameOctetsMax + 1);
  return text === undefined ? undefined : canonicalDnsName(text);
}

/** RFC 5321 §4.5.3.1: local part and whole path. */
const EMAIL_LOCAL_OCTETS_MAX = 64;
const EMAIL_OCTETS_MAX = 254;
/** RFC 5322 dot-atom, without `*`: a name that reads like a wildcard is nobody's name. */
const EMAIL_LOCAL = /^[A-Za-z0-9!#$%&'+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'+/=?^_`{|}~-]+)*$/;

/** An addr-spec without quoting: the domain lower-cased, the local part kept, since only its own host may fold it. */
export function canonicalEmail(text: string): string | undefined {
  if (text.length > EMAIL_OCTETS_MAX) return undefined;
  const at = text.indexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  const domain = text.slice(at + 1);
  if (at < 1 || local.length > EMAIL_LOCAL_OCTETS_MAX || !EMAIL_LOCAL.test(local)) return undefined;
  const canonical = domain.endsWith('.') ? undefined : canonicalDnsName(domain);
  return canonical === undefined ? undefined : `${local}@${canonical}`;
}

export function emailFromOctets(octets: Uint8Array): string | undefined {
  const text = asciiOf(octets, EMAIL_OCTETS_MAX);
  return text === undefined ? undefined : canonicalEmail(text);
}

/** A SPIFFE ID that means somebody here. */
export type SpiffeIdentity =
  | { readonly kind: 'cluster'; readonly dns: string }
  | { readonly kind: 'operator'; readonly uri: string };

export type SpiffeReading =
  /** No SPIFFE URI, or one of another trust domain: not an identity here. */
  | { readonly status: 'foreign' }
  /** It claims our trust domain, or a SPIFFE ID at all, and is not of the exact form. */
  | { readonly status: 'malformed' }
  | { readonly status: 'identity'; readonly identity: SpiffeIdentity };

/** SPIFFE-ID §2.3. */
const SPIFFE_OCTETS_MAX = 2048;
const OPERATOR_NAME = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * Exactly `spiffe://DOMAIN/cluster/CLUSTER_DNS` or `spiffe://DOMAIN/operator/NAME`: no port, user, query, fragment,
 * escape, empty or dot segment, trailing slash. Scheme and trust domain are compared in lower case (SPIFFE-ID §2.1),
 * the path as it is; CLUSTER_DNS must be canonical already.
 */
export function readSpiffeUri(octets: Uint8Array, trustDomain: string): SpiffeReading {
  const malformed = { status: 'malformed' } as const;
  const head = Buffer.from(octets.subarray(0, 7)).toString('latin1').toLowerCase();
  if (head !== 'spiffe:' && head !== 'spiffe') return { status: 'foreign' };
  const text = asciiOf(octets, SPIFFE_OCTETS_MAX);
  if (text === undefined || text.slice(7, 9) !== '//') return malformed;
  const [authority = '', kind, name, ...more] = text.slice(9).split('/');
  const domain = canonicalDnsName(authority);
  if (domain === undefined || authority.endsWith('.')) return malformed;
  if (domain !== trustDomain) return { status: 'foreign' };
  if (name === undefined || more.length > 0) return malformed;
  if (kind === 'cluster' && isCanonicalDnsName(name)) {
    return { status: 'identity', identity: { kind, dns: name } };
  }
  if (kind === 'operator' && OPERATOR_NAME.test(name) && name !== '.' && name !== '..') {
    return { status: 'identity', identity: { kind, uri: `spiffe://${domain}/operator/${name}` } };
  }
  return malformed;
}
