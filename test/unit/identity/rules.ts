/** The rules of RFC 5280 §6.1 and of contract §4: for each, chains that keep it and that break it, and what three verifiers make of them. */
import type { RefusalRule } from '../../../src/core/identity/verdict.ts';
import {
  A_POLICY,
  chain,
  confusedAlgorithm,
  constrained,
  crossSigned,
  deep,
  dns,
  EXPLICIT_POLICY,
  flippedSignature,
  foreignAlgorithm,
  forgedIssuer,
  future,
  issuerCalled,
  leafUnderCrl,
  MAPS_ANY_POLICY,
  past,
  pathLen,
  twoPaths,
  UNKNOWN,
  underIntermediate,
  uri,
} from './rule-chains.ts';
import type { Answers, Chain } from './three-verifiers.ts';

export interface Row {
  readonly what: string;
  readonly make: () => Promise<Chain>;
  readonly says: Answers;
}

const ACCEPTED: Answers = { ours: 'accepted', openssl: 'accepted', pkijs: 'accepted' };

/** `says`: where another verifier does not find the path. */
const keeps = (what: string, make: Row['make'], says: Partial<Answers> = {}): Row => ({
  what: `kept: ${what}`,
  make,
  says: { ...ACCEPTED, ...says },
});
const breaks = (what: string, make: Row['make'], ours: RefusalRule, openssl: string, pkijs: string): Row => ({
  what: `broken: ${what}`,
  make,
  says: { ours, openssl, pkijs },
});

export const RULES: Readonly<Record<string, readonly Row[]>> = {
  'RFC 5280 §6.1.3 (a)(1): each certificate is signed by the key of the next': [
    keeps('by keys of P-256', chain({})),
    keeps(
      'by keys of RSA, of a key of Ed25519',
      chain({ issuing: { key: 'RSA-2048' }, leaf: { key: 'Ed25519' } }),
    ),
    breaks(
      'an issuer that is only called so',
      forgedIssuer,
      'bad_signature',
      'CERT_SIGNATURE_FAILURE',
      'no path',
    ),
    breaks(
      'one bit of the signature',
      flippedSignature,
      'bad_signature',
      'CERT_SIGNATURE_FAILURE',
      'no path',
    ),
  ],
  'RFC 5280 §4.1.1.2, contract §4: one algorithm, inside and outside, and the issuer’s key’s own': [
    keeps('RSASSA-PSS by an RSA key', chain({ issuing: { key: 'RSA-2048' }, leaf: { pss: true } })),
    breaks(
      'another algorithm outside of what is signed',
      confusedAlgorithm,
      'malformed',
      'CERT_SIGNATURE_FAILURE',
      'no path',
    ),
    breaks(
      'ECDSA’s name where the issuer’s key is RSA',
      foreignAlgorithm,
      'bad_signature',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'no path',
    ),
  ],
  'RFC 5280 §6.1.3 (a)(2): each certificate is valid now': [
    keeps('all are', chain({})),
    breaks('an expired leaf', chain({ leaf: past }), 'expired', 'CERT_HAS_EXPIRED', 'error 8'),
    breaks('a leaf of later', chain({ leaf: future }), 'not_yet_valid', 'CERT_NOT_YET_VALID', 'error 8'),
    breaks('an expired intermediate', chain({ issuing: past }), 'expired', 'CERT_HAS_EXPIRED', 'error 8'),
    breaks(
      'an intermediate of later',
      chain({ issuing: future }),
      'not_yet_valid',
      'CERT_NOT_YET_VALID',
      'error 8',
    ),
    breaks('an expired anchor', chain({ root: past }), 'expired', 'CERT_HAS_EXPIRED', 'error 8'),
  ],
  'RFC 5280 §6.1.3 (a)(3), §6.3: nobody on the path is revoked (each verifier was given the lists)': [
    keeps('the list names nobody', () => leafUnderCrl(false)),
    breaks('the list names the leaf', () => leafUnderCrl(true), 'revoked', 'CERT_REVOKED', 'error 12'),
  ],
  'RFC 5280 §6.1.3 (a)(4), §7.1: names are chained, whatever their encoding': [
    keeps('the issuer’s name in PrintableString', () =>
      issuerCalled({ CN: 'issuing CA', stringType: 'PrintableString' }),
    ),
    keeps('in BMPString', () => issuerCalled({ CN: 'issuing CA', stringType: 'BMPString' })),
    keeps('in other case and spacing', () => issuerCalled({ CN: ' ISSUING   ca ' })),
    breaks(
      'another name for the same key',
      () => issuerCalled({ CN: 'issuing CB' }),
      'untrusted',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'error 10',
    ),
  ],
  'RFC 5280 §4.2.1.1: the authority key identifier fits': [
    keeps('it does', chain({})),
    keeps('there is none', chain({ leaf: { authorityKeyId: null } })),
    breaks(
      'it is another',
      chain({ leaf: { authorityKeyId: Uint8Array.of(1, 2, 3) } }),
      'untrusted',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'no path',
    ),
  ],
  'RFC 5280 §6.1.3 (b)(c): name constraints on DNS names': [
    keeps('permitted, and within', constrained({ permitted: [dns('k8s.example.com')] })),
    breaks(
      'permitted, and outside',
      constrained({ permitted: [dns('other.example.com')] }),
      'name_constraints',
      'UNSPECIFIED',
      'error 41',
    ),
    keeps('excluded, and outside', constrained({ excluded: [dns('other.example.com')] })),
    breaks(
      'excluded, and within',
      constrained({ excluded: [dns('k8s.example.com')] }),
      'name_constraints',
      'UNSPECIFIED',
      'error 42',
    ),
  ],
  'RFC 5280 §6.1.3 (b)(c), §4.2.1.10: name constraints on URIs': [
    keeps('permitted, and that host', constrained({ permitted: [uri('one.example.com')] })),
    keeps('permitted, and below the domain', constrained({ permitted: [uri('.example.com')] })),
    breaks(
      'permitted, and another host',
      constrained({ permitted: [uri('two.example.com')] }),
      'name_constraints',
      'UNSPECIFIED',
      'error 41',
    ),
    breaks(
      'permitted, and below what is one host',
      constrained({ permitted: [uri('example.com')] }),
      'name_constraints',
      'UNSPECIFIED',
      'error 41',
    ),
    keeps('excluded, and another host', constrained({ excluded: [uri('two.example.com')] })),
    breaks(
      'excluded, and that host',
      constrained({ excluded: [uri('one.example.com')] }),
      'name_constraints',
      'UNSPECIFIED',
      'error 42',
    ),
    breaks(
      'excluded, and below the domain',
      constrained({ excluded: [uri('.example.com')] }),
      'name_constraints',
      'UNSPECIFIED',
      'error 42',
    ),
  ],
  'RFC 5280 §6.1.4 (a), §6.1.5 (g): policies': [
    keeps('a policy that nobody demands', chain({ leaf: { extensions: [A_POLICY] } })),
    breaks(
      'a demand for an explicit one',
      chain({ issuing: { extensions: [EXPLICIT_POLICY] } }),
      'certificate_policy',
      'accepted',
      'error 0',
    ),
    breaks(
      'a mapping to anyPolicy',
      chain({ issuing: { extensions: [MAPS_ANY_POLICY] } }),
      'certificate_policy',
      'accepted',
      'error 99',
    ),
  ],
  'RFC 5280 §6.1.4 (k): an issuer is a CA': [
    keeps('it says so', chain({})),
    breaks(
      'it says that it is none',
      chain({ issuing: { basicConstraints: { ca: false } } }),
      'not_a_ca',
      'INVALID_PURPOSE',
      'error 14',
    ),
    breaks(
      'it says nothing',
      chain({ issuing: { basicConstraints: null } }),
      'not_a_ca',
      'INVALID_CA',
      'error 14',
    ),
  ],
  'RFC 5280 §6.1.4 (l)(m): path lengths': [
    keeps('0, above the leaf', chain({ issuing: pathLen(0) })),
    keeps('1, above one intermediate', chain({ root: pathLen(1) })),
    breaks(
      '0 of the anchor, above an intermediate',
      chain({ root: pathLen(0) }),
      'path_length',
      'PATH_LENGTH_EXCEEDED',
      'accepted',
    ),
    breaks(
      '0 of an intermediate, above another',
      deep(2, (level) => (level === 1 ? pathLen(0) : {})),
      'path_length',
      'PATH_LENGTH_EXCEEDED',
      'accepted',
    ),
  ],
  'RFC 5280 §6.1.4 (n): an issuer’s key may sign certificates': [
    keeps('keyCertSign', chain({ issuing: { keyUsage: ['keyCertSign'] } })),
    keeps('no keyUsage at all', chain({ issuing: { keyUsage: null } })),
    breaks(
      'cRLSign only',
      chain({ issuing: { keyUsage: ['cRLSign'] } }),
      'key_usage',
      'UNSPECIFIED',
      'error 14',
    ),
  ],
  'RFC 5280 §6.1.4 (o), §6.1.5 (f): every critical extension is processed': [
    keeps(
      'an unknown one is not critical',
      chain({ leaf: { extensions: [{ ...UNKNOWN, critical: false }] } }),
    ),
    breaks(
      'an unknown critical one in the leaf',
      chain({ leaf: { extensions: [UNKNOWN] } }),
      'unknown_critical_extension',
      'UNSPECIFIED',
      'accepted',
    ),
    breaks(
      'in the intermediate',
      chain({ issuing: { extensions: [UNKNOWN] } }),
      'unknown_critical_extension',
      'UNSPECIFIED',
      'accepted',
    ),
  ],
  'contract §4: the leaf is a client’s': [
    keeps('clientAuth', chain({})),
    keeps(
      'clientAuth beside serverAuth',
      chain({ leaf: { extendedKeyUsage: ['serverAuth', 'clientAuth'] } }),
    ),
    breaks(
      'serverAuth only',
      chain({ leaf: { extendedKeyUsage: ['serverAuth'] } }),
      'extended_key_usage',
      'INVALID_PURPOSE',
      'accepted',
    ),
    breaks(
      'no purpose',
      chain({ leaf: { extendedKeyUsage: null } }),
      'extended_key_usage',
      'accepted',
      'accepted',
    ),
    breaks(
      'any purpose',
      chain({ leaf: { extendedKeyUsage: ['any'] } }),
      'extended_key_usage',
      'INVALID_PURPOSE',
      'accepted',
    ),
    breaks(
      'an intermediate for servers',
      chain({ issuing: { extendedKeyUsage: ['serverAuth'] } }),
      'extended_key_usage',
      'INVALID_PURPOSE',
      'accepted',
    ),
    breaks(
      'its key may not sign',
      chain({ leaf: { keyUsage: ['keyEncipherment'] } }),
      'key_usage',
      'INVALID_PURPOSE',
      'accepted',
    ),
    breaks(
      'it is a CA',
      chain({ leaf: { basicConstraints: { ca: true } } }),
      'not_a_ca',
      'accepted',
      'accepted',
    ),
  ],
  'contract §4: keys are strong enough': [
    keeps(
      'RSA-2048, P-384, P-521',
      chain({ root: { key: 'RSA-2048' }, issuing: { key: 'P-384' }, leaf: { key: 'P-521' } }),
    ),
    breaks('a leaf of RSA-1024', chain({ leaf: { key: 'RSA-1024' } }), 'weak_key', 'UNSPECIFIED', 'accepted'),
    breaks(
      'an intermediate of RSA-1024',
      chain({ issuing: { key: 'RSA-1024' } }),
      'weak_key',
      'UNSPECIFIED',
      'accepted',
    ),
  ],
  'contract §4: nobody but an anchor is signed with SHA-1': [
    keeps(
      'an anchor that signed itself with it',
      chain({ root: { key: 'RSA-2048', signatureHash: 'SHA-1' } }),
    ),
    breaks(
      'a leaf',
      chain({ leaf: { signatureHash: 'SHA-1' } }),
      'weak_signature',
      'UNSPECIFIED',
      'accepted',
    ),
    breaks(
      'an intermediate',
      chain({ issuing: { signatureHash: 'SHA-1' } }),
      'weak_signature',
      'UNSPECIFIED',
      'accepted',
    ),
  ],
  'contract §4: at most 4 certificates above the leaf': [
    keeps('4', deep(3)),
    breaks('5', deep(4), 'path_length', 'accepted', 'accepted'),
  ],
  'contract §4: exactly one name, and one that is a name': [
    keeps('one dNSName', chain({})),
    breaks(
      'two dNSNames',
      chain({ leaf: { subjectAltNames: [dns('a.example.com'), dns('b.example.com')] } }),
      'ambiguous_identity',
      'accepted',
      'accepted',
    ),
    breaks(
      'a wildcard',
      chain({ leaf: { subjectAltNames: [dns('*.example.com')] } }),
      'bad_name',
      'accepted',
      'accepted',
    ),
    breaks(
      'a common name only',
      chain({ leaf: { subject: { CN: 'one.k8s.example.com' }, subjectAltNames: null } }),
      'no_identity',
      'accepted',
      'accepted',
    ),
  ],
  'contract §4: an anchor may be an intermediate': [
    keeps('the issuing CA alone', () => underIntermediate('issuing')),
    breaks(
      'another CA of its root',
      () => underIntermediate('other'),
      'untrusted',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'no path',
    ),
  ],
  'a valid path is found beside dead ends': [
    keeps('two roots, cross-signed', () => crossSigned({}, {})),
    keeps('of which one expired', () => crossSigned(past, {})),
    keeps('of which one is not trusted, its certificate sent last', () => crossSigned({}, {}, 'last'), {
      pkijs: 'no path',
    }),
    // OpenSSL follows the first that was sent, and never turns back: plans know it, see openssl-path.ts.
    keeps('of which one is not trusted, its certificate sent first', () => crossSigned({}, {}, 'first'), {
      openssl: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      pkijs: 'no path',
    }),
    // Neither looks for another path when a list names one; the gateway gives OpenSSL no lists.
    keeps('two paths, the CA revoked on the first', () => twoPaths(true, false), {
      openssl: 'CERT_REVOKED',
      pkijs: 'error 11',
    }),
    keeps('two paths, the CA revoked on the second', () => twoPaths(false, true), {
      openssl: 'UNABLE_TO_GET_CRL',
      pkijs: 'error 11',
    }),
    breaks('both roots expired', () => crossSigned(past, past), 'expired', 'CERT_HAS_EXPIRED', 'error 8'),
    breaks(
      'two paths, the CA revoked on both',
      () => twoPaths(true, true),
      'revoked',
      'CERT_REVOKED',
      'error 11',
    ),
  ],
};
