/** What each role's certificate says by default; `overrides` win, and `null` takes an extension away. */
import { isIP } from 'node:net';
import type { Minted, MintRequest } from './mint.ts';
import type { SubjectRequest } from './mint-names.ts';

export type Overrides = Partial<MintRequest>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const CA_DAYS = 5 * 365;
const LEAF_DAYS = 90;
const CA_USAGES = Object.freeze(['keyCertSign', 'cRLSign']);

/** Valid from five minutes ago, for clocks that are late. */
export function defaultNotBefore(now = new Date()): Date {
  return new Date(now.getTime() - 5 * MINUTE_MS);
}

export function validity(days: number, notBefore = defaultNotBefore()): { notBefore: Date; notAfter: Date } {
  return { notBefore, notAfter: new Date(notBefore.getTime() + days * DAY_MS) };
}

/** A self-signed root, five years. */
export function caRequest(CN: string, overrides: Overrides = {}): MintRequest {
  return {
    subject: { CN },
    ...validity(CA_DAYS, overrides.notBefore),
    basicConstraints: { ca: true },
    keyUsage: CA_USAGES,
    ...overrides,
  };
}

/** An issuing CA under `issuer`: it may sign leaves, and no further CA. */
export function intermediateRequest(CN: string, issuer: Minted, overrides: Overrides = {}): MintRequest {
  return caRequest(CN, { issuer, basicConstraints: { ca: true, pathLen: 0 }, ...overrides });
}

function leafRequest(
  subject: SubjectRequest,
  issuer: Minted,
  role: Overrides,
  overrides: Overrides,
): MintRequest {
  return {
    subject,
    issuer,
    ...validity(LEAF_DAYS, overrides.notBefore),
    basicConstraints: { ca: false },
    keyUsage: ['digitalSignature'],
    ...role,
    ...overrides,
  };
}

/** What a cluster's cert-manager would get: one dNSName, clientAuth, 90 days. */
export function clusterRequest(dns: string, issuer: Minted, overrides: Overrides = {}): MintRequest {
  const role: Overrides = {
    extendedKeyUsage: ['clientAuth'],
    subjectAltNames: [{ type: 'dns', value: dns }],
  };
  return leafRequest({ CN: dns }, issuer, role, overrides);
}

/** An operator: an email names them, the subject's O values are their groups. */
export function operatorRequest(
  email: string,
  groups: readonly string[],
  issuer: Minted,
  overrides: Overrides = {},
): MintRequest {
  const role: Overrides = {
    extendedKeyUsage: ['clientAuth'],
    subjectAltNames: [{ type: 'email', value: email }],
  };
  return leafRequest({ CN: email, O: groups }, issuer, role, overrides);
}

/** A server's certificate; a name that is an IP address becomes an iPAddress. */
export function serverRequest(
  names: readonly string[],
  issuer: Minted,
  overrides: Overrides = {},
): MintRequest {
  const role: Overrides = {
    extendedKeyUsage: ['serverAuth'],
    subjectAltNames: names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
  };
  const CN = names[0];
  return leafRequest(CN === undefined ? {} : { CN }, issuer, role, overrides);
}
