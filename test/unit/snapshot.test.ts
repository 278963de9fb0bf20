import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UTCTime } from 'asn1js';
import type { Minted } from '../../certs-dev/mint.ts';
import { type LoadedTrust, readTrust, type SnapshotSources } from '../../src/core/snapshot.ts';
import { finish } from '../../src/core/steps.ts';
import { ca, leaf } from './identity/pki.ts';

const [one, two, three, operators] = (await Promise.all(
  ['one', 'two', 'three', 'operators'].map((CN) => ca(CN)),
)) as [Minted, Minted, Minted, Minted];

const read = (cluster: readonly Minted[], operator: Minted, previous?: LoadedTrust): LoadedTrust => {
  const sources = {
    clusterCa: { name: 'CLUSTER_CA_FILE: /ca.crt', text: cluster.map(({ pem }) => pem).join('') },
    operatorCa: { name: 'OPERATOR_CA_FILE: /operators.crt', text: operator.pem },
  };
  return finish(readTrust(sources as unknown as SnapshotSources, undefined, previous));
};

describe('the bundles of a reload', () => {
  it('are those in force where nothing in them has changed', () => {
    const before = read([one, two], operators);
    assert.equal(read([one, two], operators, before), before);
    assert.notEqual(read([two, one], operators, before), before);
  });

  it('take over the certificates that were read before, and read the others', (t) => {
    const before = read([one, two], operators);
    // Of each certificate that the second parser reads, two.
    const moments = t.mock.method(UTCTime.prototype, 'toDate');
    const after = read([three, two, one], operators, before);
    assert.equal(moments.mock.callCount(), 2);
    assert.deepEqual(
      after.trust.cluster.anchors.map(({ subject }) => subject.readable),
      ['CN=three', 'CN=two', 'CN=one'],
    );
    assert.equal(after.trust.cluster.certificates[1], before.trust.cluster.certificates[1]);
  });

  it('hold what was read before to every rule of a bundle', async () => {
    const before = read([one, two], operators);
    assert.throws(() => read([one, operators], operators, before), /both hold/);
    const below = await leaf(one);
    assert.throws(
      () => read([one, below], operators, before),
      /CLUSTER_CA_FILE: \/ca\.crt: block 2.* is not a CA/,
    );
  });
});
