/** Client certificates that are good themselves: what is wrong is who signed them, or that nobody did. */
import { type Minted, mint, mintCa, mintIntermediate, pemOf } from '../../certs-dev/mint.ts';
import { clusterRequest, type Overrides } from '../../certs-dev/mint-roles.ts';
import { days, dns, HOSTILE_DNS, type HostileCase, UNKNOWN_CRITICAL } from './hostile-case.ts';
import { type MintedChain, type TestPki, withChain } from './pki.ts';

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

export const HOSTILE_ISSUERS: Readonly<Record<string, HostileCase>> = Object.freeze({
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
  'expired-intermediate': {
    why: 'good itself, but its issuer expired',
    rule: 'expired',
    mint: under({ notBefore: days(-30), notAfter: days(-1) }),
  },
  'intermediate-without-cert-sign': {
    why: 'its issuer may sign CRLs only',
    rule: 'key_usage',
    mint: under({ keyUsage: ['cRLSign'] }),
  },
  'rsa-1024-intermediate': {
    why: "its issuer's key can be factored",
    rule: 'weak_key',
    clientNeedsSecurityLevel0: true,
    mint: under({ key: 'RSA-1024' }),
  },
  'sha-1-intermediate': {
    why: 'its issuer is signed over SHA-1',
    rule: 'weak_signature',
    clientNeedsSecurityLevel0: true,
    mint: under({ signatureHash: 'SHA-1' }),
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
    rule: 'path_length',
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
});
