/** The extensions of a CRL (RFC 5280 §5.2). What would change the meaning of its entries is obeyed or refused by name. */

import { CrlRefused } from './crl-refused.ts';
import {
  context,
  contextConstructed,
  DerError,
  type DerNode,
  elements,
  Fields,
  readWhole,
  TAG,
} from './der.ts';
import { isNegative, readBoolean, readInteger, readOid } from './der-values.ts';
import { type AuthorityKeyIdentifier, readAuthorityKeyIdentifier } from './extensions.ts';
import { hexOf } from './printable.ts';

/** Which certificates of its issuer a CRL speaks of. */
export interface CrlScope {
  readonly certificates: 'all' | 'user' | 'ca';
  /** The distributionPoint's DER in hex, '' for none: issuers may split their list over several points. */
  readonly distributionPoint: string;
}

export interface CrlExtensionFacts {
  readonly number: bigint | undefined;
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  readonly scope: CrlScope;
}

const NOTHING: CrlExtensionFacts = Object.freeze({
  number: undefined,
  authorityKeyIdentifier: undefined,
  scope: Object.freeze({ certificates: 'all', distributionPoint: '' }),
});

const OID = Object.freeze({
  cRLNumber: '2.5.29.20',
  deltaCRLIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  authorityKeyIdentifier: '2.5.29.35',
});

/** RFC 5280 §5.2.3. */
const NUMBER_OCTETS_MAX = 20;

function readNumber(value: DerNode): bigint {
  const octets = readInteger(value, 'cRLNumber');
  if (isNegative(octets)) throw new DerError('a negative cRLNumber');
  // One octet more for the sign.
  if (octets.length > NUMBER_OCTETS_MAX + 1) throw new DerError('a cRLNumber of more than 20 octets');
  return BigInt(`0x${hexOf(octets)}`);
}

function readScope(value: DerNode): CrlScope {
  const fields = new Fields(value, 'issuingDistributionPoint');
  const flag = (tag: number, what: string): boolean => {
    const node = fields.optional(context(tag));
    // An explicit FALSE is no DER, but written by some CAs, and says nothing.
    return node !== undefined && readBoolean({ ...node, tag: TAG.boolean }, what);
  };
  const point = fields.optional(contextConstructed(0));
  const user = flag(1, 'onlyContainsUserCerts');
  const ca = flag(2, 'onlyContainsCACerts');
  if (fields.optional(context(3)) !== undefined) {
    throw new CrlRefused('a CRL for some reasons only (onlySomeReasons), which is not supported');
  }
  if (flag(4, 'indirectCRL')) throw new CrlRefused('an indirect CRL (indirectCRL), which is not supported');
  if (flag(5, 'onlyContainsAttributeCerts')) {
    throw new CrlRefused(
      'a CRL of attribute certificates (onlyContainsAttributeCerts), which is not supported',
    );
  }
  fields.end();
  if (user && ca)
    throw new DerError('an issuingDistributionPoint for user certificates only and CA certificates only');
  return Object.freeze({
    certificates: user ? 'user' : ca ? 'ca' : 'all',
    distributionPoint: point === undefined ? '' : hexOf(point.content),
  });
}

type Decoder = (value: DerNode) => Partial<CrlExtensionFacts>;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  [OID.cRLNumber, (value) => ({ number: readNumber(value) })],
  [OID.issuingDistributionPoint, (value) => ({ scope: readScope(value) })],
  [OID.authorityKeyIdentifier, (value) => ({ authorityKeyIdentifier: readAuthorityKeyIdentifier(value) })],
  [
    OID.deltaCRLIndicator,
    () => {
      // Taken for a complete list it would un-revoke nearly everything.
      throw new CrlRefused('a delta CRL (deltaCRLIndicator), which is not supported: give the complete CRL');
    },
  ],
]);

export function readCrlExtensions(list: DerNode | undefined): CrlExtensionFacts {
  let facts = NOTHING;
  const seen = new Set<string>();
  for (const node of list === undefined ? [] : elements(list, TAG.sequence, 'the extensions')) {
    const fields = new Fields(node, 'an extension');
    const oid = readOid(fields.next(TAG.oid, 'extnID'), 'extnID');
    const criticalNode = fields.optional(TAG.boolean);
    const critical = criticalNode !== undefined && readBoolean(criticalNode, 'critical');
    const value = fields.next(TAG.octetString, 'extnValue');
    fields.end();
    if (seen.has(oid)) throw new DerError(`the extension ${oid} twice`);
    seen.add(oid);
    const decode = DECODERS.get(oid);
    if (decode !== undefined) facts = { ...facts, ...decode(readWhole(value.content)) };
    else if (critical) throw new CrlRefused(`the critical extension ${oid}, which is not processed here`);
  }
  return facts;
}
