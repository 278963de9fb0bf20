import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mintCa } from '../../certs-dev/mint.ts';
import { startTestGateway } from '../support/gateway.ts';
import { demoDns, planTrust, poll } from '../support/trust.ts';

/** A millisecond or two of reading each: in one go, no poll would be answered for most of a second. */
const CANDIDATES = 400;

it('polls are answered while a plan reads a large bundle, however long that takes', async (t) => {
  const gateway = await startTestGateway(t);
  const certificate = await gateway.pki.cluster(demoDns(1));
  const candidate = [gateway.pki.clusterBundlePem];
  for (let i = 0; i < CANDIDATES; i++) {
    candidate.push((await mintCa(`candidate ${i}`, { reuseKeyOf: gateway.pki.clusterRoot })).pem);
  }
  assert.equal((await poll(gateway, demoDns(1), certificate)).status, 200);
  let done = false;
  const plan = planTrust(gateway, { cluster_ca_pem: candidate.join('') }).finally(() => {
    done = true;
  });
  let polls = 0;
  while (!done) {
    assert.equal((await poll(gateway, demoDns(1), certificate)).status, 200);
    polls++;
  }
  assert.ok((await plan).safe);
  assert.ok(polls >= 8, `only ${polls} polls in all that time`);
});
