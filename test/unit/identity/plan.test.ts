import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Minted } from '../../../certs-dev/mint.ts';
import { StartupError } from '../../../src/core/errors.ts';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import {
  candidateTrust as candidateTrustInSteps,
  createPlanner,
  type Planned,
  type PlanVerdict,
  type TrustChange,
} from '../../../src/core/identity/plan.ts';
import { NO_REVOCATION } from '../../../src/core/identity/revocation.ts';
import { createTrust, readBundle, type Trust } from '../../../src/core/identity/trust.ts';
import { finish } from '../../../src/core/steps.ts';
import { createTestPki } from '../../support/pki.ts';

const pki = await createTestPki();
const other = await createTestPki({ clusterRoot: { subject: { CN: 'the other root' } } });
const one = await pki.cluster('one.example.com');
const operator = await pki.operator('op@example.com');
const inForce = createTrust({
  cluster: readBundle(pki.clusterBundlePem + other.clusterRoot.pem, 'CLUSTER_CA_FILE'),
  operator: readBundle(pki.operatorBundlePem, 'OPERATOR_CA_FILE'),
});
const candidateTrust = (trust: Trust, change: TrustChange): Trust =>
  finish(candidateTrustInSteps(trust, change));
const sha256 = ({ der }: Minted): string => readCertificate(der).sha256;

const planned = (name: string, chain: readonly Minted[], kind: Planned['kind'] = 'cluster'): Planned => ({
  kind,
  name,
  chain: chain.map(({ der }) => der),
});
const NOBODY = { cluster: () => undefined };

function plan(candidate: Trust, what: Planned, nowMs = Date.now()): PlanVerdict {
  const nobody = { revocation: NO_REVOCATION, revokedClusters: NOBODY };
  const [now, then] = [inForce, candidate].map((trust) => ({ trust, ...nobody }));
  assert.ok(now && then);
  return createPlanner({ inForce: now, candidate: then, nowMs })(what);
}

describe('a plan', () => {
  const mine = planned('one.example.com', [one, pki.clusterIntermediate]);

  it('keeps whoever has a path under the candidate, and says to which anchor', () => {
    const candidate = candidateTrust(inForce, { removeAnchors: [sha256(other.clusterRoot)] });
    assert.deepEqual(plan(candidate, mine), { stays: true, anchorSha256: sha256(pki.clusterRoot) });
  });

  it('refuses whoever has none, by the rule of the judge, and says that they are accepted now', () => {
    const candidate = candidateTrust(inForce, { removeAnchors: [sha256(pki.clusterRoot)] });
    const verdict = plan(candidate, mine);
    assert.ok(!verdict.stays);
    assert.equal(verdict.rule, 'untrusted');
    assert.equal(verdict.refusedNow, false);
    assert.ok(plan(candidate, planned('op@example.com', [operator], 'operator')).stays);
  });

  it('takes the intermediates along that only led to what is removed: left alone they would be anchors', () => {
    const candidate = candidateTrust(inForce, { removeAnchors: [sha256(pki.clusterRoot)] });
    assert.deepEqual(
      candidate.cluster.certificates.map((facts) => facts.sha256),
      [sha256(other.clusterRoot)],
    );
    const alone = candidateTrust(inForce, { clusterCaPem: pki.clusterIntermediate.pem });
    assert.ok(plan(alone, mine).stays, 'whoever writes such a file trusts the intermediate itself');
  });

  it('tells what the change does from what is refused as it is', async () => {
    const expired = await pki.cluster('late.example.com', { notAfter: new Date(Date.now() - 60_000) });
    const verdict = plan(inForce, planned('late.example.com', [expired, pki.clusterIntermediate]));
    assert.ok(!verdict.stays);
    assert.equal(verdict.rule, 'expired');
    assert.equal(verdict.refusedNow, true);
  });

  it('counts a certificate that would be somebody else as refused', () => {
    const verdict = plan(inForce, planned('two.example.com', [one, pki.clusterIntermediate]));
    assert.ok(!verdict.stays);
    assert.equal(verdict.rule, 'other_identity');
  });

  it('leaves the other bundle as it is', () => {
    const candidate = candidateTrust(inForce, { clusterCaPem: other.clusterRoot.pem });
    assert.equal(candidate.operator?.anchors[0]?.sha256, sha256(pki.operatorRoot));
    assert.ok(!plan(candidate, mine).stays);
  });

  const REFUSED: readonly [string, Parameters<typeof candidateTrust>[1], RegExp][] = [
    ['no PEM', { clusterCaPem: 'nothing' }, /^cluster_ca_pem: the file holds no certificate/],
    ['a leaf', { clusterCaPem: one.pem }, /^cluster_ca_pem.*not a CA/],
    ['the operators’ CA for clusters', { clusterCaPem: pki.operatorBundlePem }, /both hold/],
    ['the clusters’ CA for operators', { operatorCaPem: pki.clusterBundlePem }, /both hold/],
    ['what is not in force', { removeAnchors: ['00'.repeat(32)] }, /^remove_anchors: 0{64} is in neither/],
    [
      'everything',
      { removeAnchors: [sha256(pki.clusterRoot), sha256(other.clusterRoot)] },
      /nothing would be left of CLUSTER_CA_FILE/,
    ],
    [
      'both at once',
      { clusterCaPem: pki.clusterBundlePem, removeAnchors: [sha256(other.clusterRoot)] },
      /give it alone/,
    ],
  ];
  for (const [what, change, message] of REFUSED) {
    it(`is not made of ${what}`, () => {
      assert.throws(
        () => candidateTrust(inForce, change),
        (error) => error instanceof StartupError && message.test(error.message),
      );
    });
  }
});
