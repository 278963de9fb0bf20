/**
 * Whether one name lies within one name constraint (RFC 5280 §4.2.1.10), form by form. `undefined` is "cannot tell": the
 * caller refuses then, whether the constraint permits or excludes. Matching is OpenSSL's (nc_dns, nc_email, nc_uri, nc_ip,
 * nc_dn), or stricter.
 */

import type { DistinguishedName } from './distinguished-name.ts';
import type { GeneralName, GeneralNameType } from './general-name.ts';
import { asciiOf, canonicalDnsName, canonicalEmail, dnsNameFromOctets } from './names.ts';

/** A name that a certificate carries, in a form that constraints speak of. */
export interface ConstrainedName {
  readonly type: GeneralNameType;
  readonly octets: Uint8Array;
  readonly directoryName?: DistinguishedName;
}

type Matcher = (name: ConstrainedName, base: GeneralName) => boolean | undefined;

const TEXT_OCTETS_MAX = 2048;

/** A host, or with a leading dot whatever is below it; '' stays ''. */
function hostPattern(octets: Uint8Array): { readonly host: string; readonly below: boolean } | undefined {
  if (octets.length === 0) return { host: '', below: false };
  const text = asciiOf(octets, TEXT_OCTETS_MAX);
  if (text === undefined) return undefined;
  const below = text.startsWith('.');
  const host = canonicalDnsName(below ? text.slice(1) : text);
  return host === undefined ? undefined : { host, below };
}

/** The empty constraint is every name; `example.com` is itself and what is below it, by whole labels. */
function matchDns(name: ConstrainedName, base: GeneralName): boolean | undefined {
  const pattern = hostPattern(base.octets);
  // A wildcard is no canonical name: it would be several names at once, on both sides of a constraint.
  const dns = dnsNameFromOctets(name.octets);
  if (pattern === undefined || dns === undefined) return undefined;
  if (pattern.host === '') return true;
  return dns.endsWith(`.${pattern.host}`) || (!pattern.below && dns === pattern.host);
}

/** For URIs and mailboxes a host without a dot in front is that host alone. */
function matchHost(host: string, octets: Uint8Array): boolean | undefined {
  const pattern = hostPattern(octets);
  if (pattern === undefined || pattern.host === '') return undefined;
  return pattern.below ? host.endsWith(`.${pattern.host}`) : host === pattern.host;
}

function matchEmail(name: ConstrainedName, base: GeneralName): boolean | undefined {
  const email = canonicalEmail(asciiOf(name.octets, TEXT_OCTETS_MAX) ?? '');
  if (email === undefined) return undefined;
  const mailbox = asciiOf(base.octets, TEXT_OCTETS_MAX);
  if (mailbox?.includes('@') === true) {
    const wanted = canonicalEmail(mailbox);
    return wanted === undefined ? undefined : wanted === email;
  }
  return matchHost(email.slice(email.indexOf('@') + 1), base.octets);
}

/** The authority of an absolute URI; an address or no authority at all cannot be compared with a host. */
function matchUri(name: ConstrainedName, base: GeneralName): boolean | undefined {
  const uri = asciiOf(name.octets, TEXT_OCTETS_MAX);
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri ?? '')?.[1];
  const host = canonicalDnsName((authority ?? '').replace(/:[0-9]*$/, ''));
  return host === undefined ? undefined : matchHost(host, base.octets);
}

/** A constraint is an address and its mask, each as long as the name; a mask with holes is no network. */
function matchIp(name: ConstrainedName, base: GeneralName): boolean | undefined {
  const length = base.octets.length / 2;
  if ((length !== 4 && length !== 16) || (name.octets.length !== 4 && name.octets.length !== 16)) {
    return undefined;
  }
  const mask = base.octets.subarray(length);
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  if (bits.includes('01')) return undefined;
  if (name.octets.length !== length) return false;
  return name.octets.every((octet, i) => ((octet ^ (base.octets[i] ?? 0)) & (mask[i] ?? 0xff)) === 0);
}

/** RFC 5280 §7.1: within a subtree is what begins with the base's relative names, in order. */
function matchDirectoryName(name: ConstrainedName, base: GeneralName): boolean | undefined {
  const rdns = name.directoryName?.canonicalRdns;
  const prefix = base.directoryName?.canonicalRdns;
  if (rdns === undefined || prefix === undefined) return undefined;
  return prefix.every((rdn, i) => rdns[i] === rdn);
}

/** Forms without a line here cannot be compared: a name of such a form under a constraint of it is refused. */
const MATCHERS: ReadonlyMap<GeneralNameType, Matcher> = new Map([
  ['dNSName', matchDns],
  ['rfc822Name', matchEmail],
  ['uniformResourceIdentifier', matchUri],
  ['iPAddress', matchIp],
  ['directoryName', matchDirectoryName],
]);

export function matchConstraint(name: ConstrainedName, base: GeneralName): boolean | undefined {
  return MATCHERS.get(name.type)?.(name, base);
}
