/** The extensions that we understand (RFC 5280 §4.2.1), decoded; all others are only listed. */

import { LIMITS } from '../limits.ts';
import {
  children,
  context,
  contextConstructed,
  DerError,
  type DerNode,
  elements,
  expectTag,
  Fields,
  readWhole,
  TAG,
} from './der.ts';
import { readBitString, readBoolean, readCount, readInteger, readOid } from './der-values.ts';
import { type GeneralName, isText, readGeneralName } from './general-name.ts';
import { OID } from './oids.ts';
import { hexOf } from './printable.ts';
import { CertificateRefused } from './refused.ts';

export interface BasicConstraints {
  readonly ca: boolean;
  readonly pathLen: number | undefined;
}

/** In the order of their bits, RFC 5280 §4.2.1.3. */
const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

export interface AuthorityKeyIdentifier {
  /** Lower-case hex. */
  readonly keyIdentifier: string | undefined;
  /** Canonical names, see DistinguishedName. */
  readonly issuers: readonly string[];
  /** Lower-case hex. */
  readonly serial: string | undefined;
}

export interface ExtensionFacts {
  readonly basicConstraints: BasicConstraints | undefined;
  /** undefined: no such extension, so every use is allowed. */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  /** OIDs; undefined: no such extension. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly subjectAltNames: readonly GeneralName[];
  readonly nameConstraints: NameConstraints | undefined;
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  /** Lower-case hex. */
  readonly subjectKeyIdentifier: string | undefined;
  /** policyConstraints with requireExplicitPolicy: what follows must carry a policy that somebody accepts. */
  readonly requiresExplicitPolicy: boolean;
  /** A policy mapping to or from anyPolicy, which RFC 5280 §6.1.4 (a) forbids. */
  readonly mapsAnyPolicy: boolean;
  /** OIDs of critical extensions that nobody here processes. */
  readonly unknownCritical: readonly string[];
}

/** What one extension adds to the facts; throws DerError or CertificateRefused. */
type Decoder = (value: DerNode) => Partial<ExtensionFacts>;

const NOTHING: ExtensionFacts = Object.freeze({
  basicConstraints: undefined,
  keyUsage: undefined,
  extendedKeyUsage: undefined,
  subjectAltNames: Object.freeze([]),
  nameConstraints: undefined,
  authorityKeyIdentifier: undefined,
  subjectKeyIdentifier: undefined,
  requiresExplicitPolicy: false,
  mapsAnyPolicy: false,
  unknownCritical: Object.freeze([]),
});

function readBasicConstraints(value: DerNode): BasicConstraints {
  const fields = new Fields(value, 'basicConstraints');
  // An explicit FALSE is no DER (it is the default), but many CAs write it and OpenSSL reads it.
  const caNode = fields.optional(TAG.boolean);
  const ca = caNode !== undefined && readBoolean(caNode, 'cA');
  const pathLenNode = fields.optional(TAG.integer);
  const pathLen = pathLenNode === undefined ? undefined : readCount(pathLenNode, 'pathLenConstraint');
  fields.end();
  if (!ca && pathLen !== undefined) throw new DerError('a pathLenConstraint without cA');
  return Object.freeze({ ca, pathLen });
}

function readKeyUsage(value: DerNode): ReadonlySet<KeyUsage> {
  const { octets } = readBitString(value, 'keyUsage');
  const bit = (i: number): boolean => (((octets[i >> 3] ?? 0) >> (7 - (i & 7))) & 1) === 1;
  return new Set(KEY_USAGES.filter((_, i) => bit(i)));
}

function readGeneralNames(value: DerNode): readonly GeneralName[] {
  const nodes = elements(value, TAG.sequence, 'subjectAltName');
  if (nodes.length > LIMITS.subjectAltNamesMax) {
    throw new CertificateRefused(
      'too_large',
      `${nodes.length} names in subjectAltName; at most ${LIMITS.subjectAltNamesMax} are read`,
    );
  }
  const names = nodes.map((node) => readGeneralName(node, 'a subjectAltName'));
  const others = names.reduce((sum, { type, octets }) => sum + (isText(type) ? 0 : octets.length), 0);
  if (others > LIMITS.otherNamesOctetsMax) {
    throw new CertificateRefused(
      'too_large',
      `${others} octets of names in subjectAltName that are no text; at most ${LIMITS.otherNamesOctetsMax} are read`,
    );
  }
  return Object.freeze(names);
}

function readSubtrees(node: DerNode | undefined, tag: number): DerNode[] {
  return node === undefined ? [] : elements(node, tag, 'a subtree list of nameConstraints');
}

function readSubtree(node: DerNode): GeneralName {
  const fields = new Fields(node, 'a name constraint');
  const base = readGeneralName(fields.next(undefined, 'base'), 'a name constraint');
  const minimum = fields.optional(context(0));
  // RFC 5280 §4.2.1.10: minimum is zero and maximum is absent.
  if (minimum !== undefined && readCount(minimum, 'minimum', context(0)) !== 0) {
    throw new DerError('a name constraint with a minimum other than zero');
  }
  fields.end();
  return base;
}

function readNameConstraints(value: DerNode): NameConstraints {
  const fields = new Fields(value, 'nameConstraints');
  const permitted = readSubtrees(fields.optional(contextConstructed(0)), contextConstructed(0));
  const excluded = readSubtrees(fields.optional(contextConstructed(1)), contextConstructed(1));
  fields.end();
  const count = permitted.length + excluded.length;
  if (count === 0) throw new DerError('nameConstraints that constrain nothing');
  if (count > LIMITS.nameConstraintsMax) {
    throw new CertificateRefused(
      'too_large',
      `${count} name constraints; at most ${LIMITS.nameConstraintsMax} are read`,
    );
  }
  return Object.freeze({
    permitted: Object.freeze(permitted.map(readSubtree)),
    excluded: Object.freeze(excluded.map(readSubtree)),
  });
}

export function readAuthorityKeyIdentifier(value: DerNode): AuthorityKeyIdentifier {
  const fields = new Fields(value, 'authorityKeyIdentifier');
  const keyIdentifier = fields.optional(context(0));
  const issuer = fields.optional(contextConstructed(1));
  const serial = fields.optional(context(2));
  fields.end();
  const names = issuer === undefined ? [] : children(issuer).map((n) => readGeneralName(n, 'an AKI issuer'));
  return Object.freeze({
    keyIdentifier: keyIdentifier === undefined ? undefined : hexOf(keyIdentifier.content),
    issuers: Object.freeze(names.flatMap((name) => name.directoryName?.canonical ?? [])),
    serial: serial === undefined ? undefined : hexOf(readInteger(serial, 'AKI serial', context(2))),
  });
}

function mapsAnyPolicy(value: DerNode): boolean {
  return elements(value, TAG.sequence, 'policyMappings').some((mapping) => {
    const fields = new Fields(mapping, 'a policy mapping');
    const from = readOid(fields.next(TAG.oid, 'issuerDomainPolicy'), 'issuerDomainPolicy');
    const to = readOid(fields.next(TAG.oid, 'subjectDomainPolicy'), 'subjectDomainPolicy');
    fields.end();
    return from === OID.anyPolicy || to === OID.anyPolicy;
  });
}

function requiresExplicitPolicy(value: DerNode): boolean {
  const fields = new Fields(value, 'policyConstraints');
  const explicit = fields.optional(context(0));
  const mapping = fields.optional(context(1));
  fields.end();
  if (explicit !== undefined) readCount(explicit, 'requireExplicitPolicy', context(0));
  if (mapping !== undefined) readCount(mapping, 'inhibitPolicyMapping', context(1));
  if (explicit === undefined && mapping === undefined) throw new DerError('an empty policyConstraints');
  return explicit !== undefined;
}

function checkPolicies(value: DerNode): Partial<ExtensionFacts> {
  const seen = new Set<string>();
  for (const information of elements(value, TAG.sequence, 'certificatePolicies')) {
    const fields = new Fields(information, 'a certificate policy');
    const oid = readOid(fields.next(TAG.oid, 'policyIdentifier'), 'policyIdentifier');
    // RFC 5280 §4.2.1.4: a policy is named once.
    if (seen.has(oid)) throw new DerError(`the policy ${oid} twice`);
    seen.add(oid);
  }
  return {};
}

function checkInhibitAnyPolicy(value: DerNode): Partial<ExtensionFacts> {
  readCount(value, 'inhibitAnyPolicy');
  return {};
}

function readKeyPurposes(value: DerNode): readonly string[] {
  const purposes = elements(value, TAG.sequence, 'extendedKeyUsage');
  return Object.freeze(purposes.map((node) => readOid(node, 'a key purpose')));
}

function readSubjectKeyIdentifier(value: DerNode): string {
  return hexOf(expectTag(value, TAG.octetString, 'subjectKeyIdentifier').content);
}

/**
 * One line for each extension that is understood: a critical one that is missing here refuses its certificate. Not here on
 * purpose: issuerAltName, crlDistributionPoints and the RFC 3779 resources, which we would have to obey when critical.
 */
const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  [OID.basicConstraints, (value) => ({ basicConstraints: readBasicConstraints(value) })],
  [OID.keyUsage, (value) => ({ keyUsage: readKeyUsage(value) })],
  [OID.extendedKeyUsage, (value) => ({ extendedKeyUsage: readKeyPurposes(value) })],
  [OID.subjectAltName, (value) => ({ subjectAltNames: readGeneralNames(value) })],
  [OID.nameConstraints, (value) => ({ nameConstraints: readNameConstraints(value) })],
  [OID.authorityKeyIdentifier, (value) => ({ authorityKeyIdentifier: readAuthorityKeyIdentifier(value) })],
  [OID.subjectKeyIdentifier, (value) => ({ subjectKeyIdentifier: readSubjectKeyIdentifier(value) })],
  [OID.policyMappings, (value) => ({ mapsAnyPolicy: mapsAnyPolicy(value) })],
  [OID.policyConstraints, (value) => ({ requiresExplicitPolicy: requiresExplicitPolicy(value) })],
  [OID.certificatePolicies, checkPolicies],
  [OID.inhibitAnyPolicy, checkInhibitAnyPolicy],
]);

/** What has a bound of its own, on the number of its names. */
const LISTS_OF_NAMES: readonly string[] = [OID.subjectAltName, OID.nameConstraints];

function checkExtensionSize(oid: string, { length }: Uint8Array): void {
  if (length <= LIMITS.extensionOctetsMax || LISTS_OF_NAMES.includes(oid)) return;
  throw new CertificateRefused(
    'too_large',
    `${length} octets in the extension ${oid}; at most ${LIMITS.extensionOctetsMax} are read`,
  );
}

/** From the Extensions of a TBSCertificate: SEQUENCE SIZE (1..MAX) OF Extension. */
export function readExtensions(list: DerNode | undefined): ExtensionFacts {
  let facts = NOTHING;
  const seen = new Set<string>();
  const nodes = list === undefined ? [] : elements(list, TAG.sequence, 'the extensions');
  if (nodes.length > LIMITS.extensionsMax) {
    throw new CertificateRefused(
      'too_large',
      `${nodes.length} extensions; at most ${LIMITS.extensionsMax} are read`,
    );
  }
  for (const node of nodes) {
    const fields = new Fields(node, 'an extension');
    const oid = readOid(fields.next(TAG.oid, 'extnID'), 'extnID');
    const criticalNode = fields.optional(TAG.boolean);
    const critical = criticalNode !== undefined && readBoolean(criticalNode, 'critical');
    const value = fields.next(TAG.octetString, 'extnValue');
    fields.end();
    // RFC 5280 §4.2: at most one of each. Of two, which one counts would depend on who reads.
    if (seen.has(oid)) throw new DerError(`the extension ${oid} twice`);
    seen.add(oid);
    const decode = DECODERS.get(oid);
    if (decode !== undefined) {
      checkExtensionSize(oid, value.content);
      facts = { ...facts, ...decode(readWhole(value.content)) };
    } else if (critical) facts = { ...facts, unknownCritical: [...facts.unknownCritical, oid] };
  }
  return Object.freeze(facts);
}
