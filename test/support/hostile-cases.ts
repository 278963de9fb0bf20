/** Client certificates that must all be refused, each for one reason: everything else about them is right. */
import { type Minted, mint, mintCa, mintIntermediate, pemOf } from '../../certs-dev/mint.ts';
import type { NameValue } from '../../certs-dev/mint-extensions.ts';
import { clusterRequest, type Overrides } from '../../certs-dev/mint-roles.ts';
import type { RefusalRule } from '../../src/core/identity/verdict.ts';
import { type MintedChain, type TestPki, withChain } from './pki.ts';

/** The cluster that all of them would be, were they accepted. */
export const HOSTILE_DNS = 'hostile.k8s.example.com';
/** What SPIFFE_TRUST_DOMAIN must be for `onlyWithTrustDomain`. */
export const HOSTILE_TRUST_DOMAIN = 'fleet.example.com';

export interface HostileCase {
  readonly why: string;
  readonly rule: RefusalRule;
  readonly onlyWithTrustDomain?: true;
  readonly clientNeedsSecurityLevel0?: true;
  readonly opensslEndsConnection?: true;
  readonly mint: (pki: TestPki) => Promise<MintedChain>;
}

const DAY_MS = 86_400_000;
const days = (count: number): Date => new Date(Date.now() + count * DAY_MS);
const dns = (value: string | Uint8Array): NameValue => ({ type: 'dns', value });
const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** A cluster's certificate that differs from a good one in `overrides` only. */
const leaf =
  (overrides: Overrides) =>
  (pki: TestPki): Promise<MintedChain> =>
    pki.cluster(HOSTILE_DNS, overrides);

const named = (...subjectAltNames: readonly NameValue[]) => leaf({ subjectAltNames });

/** A good leaf under an intermediate of the cluster root that differs from a good one in `overrides` only. */
const under =
  (overrides: Overrides) =>
  async (pki: TestPki): Promise<MintedChain> => {
    const intermediate = await mintIntermediate('hostile intermediate', pki.clusterRoot, overrides);
    return pki.cluster(HOSTILE_DNS, { issuer: intermediate });
  };

async function belowIntermediates(pki: TestPki, count: number): Promise<MintedChain> {
  let issuer: Minted = pki.clusterRoot;
  for (let i = 1; i <= count; i++) {
    issuer = await mintIntermediate(`link ${i}`, issuer, { basicConstraints: { ca: true } });
  }
  return pki.cluster(HOSTILE_DNS, { issuer });
}

const UNKNOWN_CRITICAL = Object.freeze({
  oid: '1.3.6.1.4.1.55555.1.2',
  critical: true,
  value: Uint8Array.of(0x05, 0x00),
});
const SPIFFE_CLUSTER = `spiffe://${HOSTILE_TRUST_DOMAIN}/cluster/${HOSTILE_DNS}`;

/** By name; the names are used in tests' titles. */
export const HOSTILE_CASES: Readonly<Record<string, HostileCase>> = Object.freeze({
  untrusted: {
    why: 'issued by a CA that is in no bundle',
    rule: 'untrusted',
    mint: async (pki) => pki.cluster(HOSTILE_DNS, { issuer: await mintCa('somebody else') }),
  },
  'untrusted-same-name': {
    why: 'issued by a CA that only calls itself what ours is called',
    rule: 'untrusted',
    mint: async (pki) => {
      const impostor = await mintCa(pki.clusterIntermediate.request.subject.CN ?? '');
      return pki.cluster(HOSTILE_DNS, { issuer: impostor });
    },
  },
  'self-signed': {
    why: 'its own issuer',
    rule: 'untrusted',
    mint: async (pki) => {
      const { issuer: _, ...request } = clusterRequest(HOSTILE_DNS, pki.clusterRoot);
      return withChain(await mint(request));
    },
  },
  'bad-signature': {
    why: 'one bit of the signature was flipped',
    rule: 'bad_signature',
    opensslEndsConnection: true,
    mint: async (pki) => {
      const good = await pki.cluster(HOSTILE_DNS);
      const der = new Uint8Array(good.der);
      der.set([(der.at(-1) ?? 0) ^ 1], der.length - 1); // in the number s: the DER stays whole
      return withChain({ ...good, der, pem: pemOf('CERTIFICATE', der) });
    },
  },
  expired: {
    why: 'its last second is past',
    rule: 'expired',
    mint: leaf({ notBefore: days(-30), notAfter: days(-1) }),
  },
  'not-yet-valid': {
    why: 'its first second is to come',
    rule: 'not_yet_valid',
    mint: leaf({ notBefore: days(1), notAfter: days(30) }),
  },
  'expired-intermediate': {
    why: 'good itself, but its issuer expired',
    rule: 'expired',
    mint: under({ notBefore: days(-30), notAfter: days(-1) }),
  },
  'server-auth-only': {
    why: 'a server certificate of the same CA',
    rule: 'extended_key_usage',
    mint: leaf({ extendedKeyUsage: ['serverAuth'] }),
  },
  'no-extended-key-usage': {
    why: 'nobody said that it is for clients',
    rule: 'extended_key_usage',
    mint: leaf({ extendedKeyUsage: null }),
  },
  'any-extended-key-usage': {
    why: 'anyExtendedKeyUsage is not clientAuth',
    rule: 'extended_key_usage',
    mint: leaf({ extendedKeyUsage: ['any'] }),
  },
  'no-digital-signature': {
    why: 'its key may not sign a handshake',
    rule: 'key_usage',
    mint: leaf({ keyUsage: ['keyAgreement'] }),
  },
  'intermediate-without-cert-sign': {
    why: 'its issuer may sign CRLs only',
    rule: 'key_usage',
    mint: under({ keyUsage: ['cRLSign'] }),
  },
  'cn-only': {
    why: 'the name is in the CN alone',
    rule: 'no_identity',
    mint: leaf({ subjectAltNames: null }),
  },
  'ip-only': {
    why: 'an address is not a name',
    rule: 'no_identity',
    mint: named({ type: 'ip', value: '192.0.2.1' }),
  },
  'email-under-cluster-ca': {
    why: "an operator's name, but under the clusters' CA",
    rule: 'no_identity',
    mint: (pki) =>
      pki.operator('mallory@example.com', ['platform-team'], { issuer: pki.clusterIntermediate }),
  },
  'spiffe-of-another-domain': {
    why: 'a SPIFFE URI of a trust domain that is not ours',
    rule: 'no_identity',
    mint: named({ type: 'uri', value: `spiffe://elsewhere.example.org/cluster/${HOSTILE_DNS}` }),
  },
  'two-names': {
    why: 'it would be two clusters',
    rule: 'ambiguous_identity',
    mint: named(dns(HOSTILE_DNS), dns('demo-cluster-01.k8s.example.com')),
  },
  'dns-and-spiffe': {
    why: 'a dNSName and a SPIFFE URI: two claims, even when they agree',
    rule: 'ambiguous_identity',
    onlyWithTrustDomain: true,
    mint: named(dns(HOSTILE_DNS), { type: 'uri', value: SPIFFE_CLUSTER }),
  },
  'operator-two-emails': {
    why: 'it would be two operators',
    rule: 'ambiguous_identity',
    mint: (pki) =>
      pki.operator('mallory@example.com', ['platform-team'], {
        subjectAltNames: [
          { type: 'email', value: 'mallory@example.com' },
          { type: 'email', value: 'operator@example.com' },
        ],
      }),
  },
  wildcard: { why: 'a wildcard is nobody', rule: 'bad_name', mint: named(dns('*.k8s.example.com')) },
  'nul-in-name': {
    why: 'a C string would end at the NUL',
    rule: 'bad_name',
    mint: named(dns(latin1(`${HOSTILE_DNS}\0.attacker.example`))),
  },
  'upper-ascii-name': {
    why: 'octets above 0x7F in a dNSName',
    rule: 'bad_name',
    mint: named(dns(latin1('clust\u00e9r.k8s.example.com'))),
  },
  'underscore-name': { why: 'not LDH', rule: 'bad_name', mint: named(dns('hostile_1.k8s.example.com')) },
  'space-name': { why: 'not LDH', rule: 'bad_name', mint: named(dns(`${HOSTILE_DNS} `)) },
  'long-name': {
    why: '254 octets: one more than a DNS name has',
    rule: 'bad_name',
    mint: named(dns(`${'a'.repeat(62)}.${'b.'.repeat(90)}example.com`)),
  },
  'rsa-1024': {
    why: 'a key that can be factored',
    rule: 'weak_key',
    clientNeedsSecurityLevel0: true,
    mint: leaf({ key: 'RSA-1024' }),
  },
  'rsa-1024-intermediate': {
    why: "its issuer's key can be factored",
    rule: 'weak_key',
    clientNeedsSecurityLevel0: true,
    mint: under({ key: 'RSA-1024' }),
  },
  'sha-1': {
    why: 'signed over SHA-1',
    rule: 'weak_signature',
    clientNeedsSecurityLevel0: true,
    mint: leaf({ signatureHash: 'SHA-1' }),
  },
  'sha-1-intermediate': {
    why: 'its issuer is signed over SHA-1',
    rule: 'weak_signature',
    clientNeedsSecurityLevel0: true,
    mint: under({ signatureHash: 'SHA-1' }),
  },
  'ca-as-leaf': {
    why: 'a CA certificate, with a name and clientAuth',
    rule: 'not_a_ca',
    mint: async (pki) =>
      // Straight under the root: below the intermediate it would break that one's pathLenConstraint too.
      pki.cluster(HOSTILE_DNS, {
        issuer: pki.clusterRoot,
        basicConstraints: { ca: true },
        keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
      }),
  },
  'issued-by-a-leaf': {
    why: "another cluster's certificate signed it",
    rule: 'not_a_ca',
    mint: async (pki) =>
      pki.cluster(HOSTILE_DNS, { issuer: await pki.cluster('demo-cluster-01.k8s.example.com') }),
  },
  'issuer-without-basic-constraints': {
    why: 'its issuer does not say that it is a CA',
    rule: 'not_a_ca',
    mint: under({ basicConstraints: null }),
  },
  'path-length': {
    why: 'a CA whose pathLenConstraint is 0 issued another CA',
    rule: 'path_length',
    mint: async (pki) => {
      const last = await mintIntermediate('last CA', pki.clusterRoot);
      const beyond = await mintIntermediate('beyond it', last, { basicConstraints: { ca: true } });
      return pki.cluster(HOSTILE_DNS, { issuer: beyond });
    },
  },
  'over-long-chain': {
    why: 'five certificates above the leaf, the root included',
    rule: 'too_large',
    mint: (pki) => belowIntermediates(pki, 4),
  },
  'name-not-permitted': {
    why: 'its issuer may name other clusters only',
    rule: 'name_constraints',
    mint: under({ nameConstraints: { permitted: [dns('other.example.com')] } }),
  },
  'name-excluded': {
    why: 'its issuer may not name these clusters',
    rule: 'name_constraints',
    mint: under({ nameConstraints: { excluded: [dns('k8s.example.com')] } }),
  },
  'unknown-critical-extension': {
    why: 'whoever does not understand it must not accept it',
    rule: 'unknown_critical_extension',
    mint: leaf({ extensions: [UNKNOWN_CRITICAL] }),
  },
  'unknown-critical-extension-above': {
    why: 'the same in its issuer',
    rule: 'unknown_critical_extension',
    mint: under({ extensions: [UNKNOWN_CRITICAL] }),
  },
  'ambiguous-trust': {
    why: 'its issuer is cross-signed: a path to the clusters’ root and one to the operators’',
    rule: 'ambiguous_trust',
    mint: async (pki) => {
      const bridge = await mintIntermediate('bridge', pki.clusterRoot);
      const otherBank = await mintIntermediate('bridge', pki.operatorRoot, { reuseKeyOf: bridge });
      const good = await pki.cluster(HOSTILE_DNS, { issuer: bridge });
      return { ...good, chainPem: good.chainPem + otherBank.pem };
    },
  },
  'version-1': {
    why: 'X.509 version 1, without extensions',
    rule: 'malformed',
    mint: leaf({
      version: 1,
      basicConstraints: null,
      keyUsage: null,
      extendedKeyUsage: null,
      subjectAltNames: null,
      subjectKeyId: null,
      authorityKeyId: null,
    }),
  },
  'duplicate-extension': {
    why: 'two subjectAltName extensions: readers differ on which counts',
    rule: 'malformed',
    opensslEndsConnection: true,
    mint: leaf({
      extensions: [
        { oid: '2.5.29.17', critical: false, value: Uint8Array.of(0x30, 0x04, 0x82, 0x02, 0x61, 0x62) },
      ],
    }),
  },
  'too-many-names': {
    why: '101 names',
    rule: 'too_large',
    mint: named(...Array.from({ length: 101 }, (_, i) => dns(`c${i}.k8s.example.com`))),
  },
});
