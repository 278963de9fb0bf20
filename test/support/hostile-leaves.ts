/** Client certificates under the right CA that are wrong themselves. */
import type { NameValue } from '../../certs-dev/mint-extensions.ts';
import type { Overrides } from '../../certs-dev/mint-roles.ts';
import {
  days,
  dns,
  HOSTILE_DNS,
  HOSTILE_TRUST_DOMAIN,
  type HostileCase,
  UNKNOWN_CRITICAL,
} from './hostile-case.ts';
import type { MintedChain, TestPki } from './pki.ts';

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** A cluster's certificate that differs from a good one in `overrides` only. */
const leaf =
  (overrides: Overrides) =>
  (pki: TestPki): Promise<MintedChain> =>
    pki.cluster(HOSTILE_DNS, overrides);

const named = (...subjectAltNames: readonly NameValue[]) => leaf({ subjectAltNames });

const SPIFFE_CLUSTER = `spiffe://${HOSTILE_TRUST_DOMAIN}/cluster/${HOSTILE_DNS}`;

export const HOSTILE_LEAVES: Readonly<Record<string, HostileCase>> = Object.freeze({
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
  'sha-1': {
    why: 'signed over SHA-1',
    rule: 'weak_signature',
    clientNeedsSecurityLevel0: true,
    mint: leaf({ signatureHash: 'SHA-1' }),
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
  'unknown-critical-extension': {
    why: 'whoever does not understand it must not accept it',
    rule: 'unknown_critical_extension',
    mint: leaf({ extensions: [UNKNOWN_CRITICAL] }),
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
  'long-subject': {
    why: 'a subject of 8,000 octets, nearly all of them blanks',
    rule: 'malformed',
    mint: leaf({ subject: { CN: `x${' '.repeat(8_000)}x` } }),
  },
  'too-many-extensions': {
    why: '65 extensions beside its own',
    rule: 'too_large',
    mint: leaf({
      extensions: Array.from({ length: 65 }, (_, n) => ({
        oid: `1.3.6.1.4.1.55555.2.${n}`,
        critical: false,
        value: Uint8Array.of(0x05, 0x00),
      })),
    }),
  },
  'too-many-names': {
    why: '101 names',
    rule: 'too_large',
    mint: named(...Array.from({ length: 101 }, (_, i) => dns(`c${i}.k8s.example.com`))),
  },
});
