import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { it } from 'node:test';
import { mintCa, mintClusterCertificate, pemOf } from '../../certs-dev/mint.ts';
import { judge } from '../../src/core/identity/judge.ts';
import { createTrust, readBundle } from '../../src/core/identity/trust.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { startTestGateway } from '../support/gateway.ts';
import { reserialise } from '../support/reserialised.ts';
import { besiege, gauge, inParallel } from '../support/siege.ts';

const CERTIFICATES = 10_000;
const OVER_TLS_MS = 15_000;
const RULE = 'untrusted';
const SPIED_ON = 'demo-cluster-01.k8s.example.com';

it('no certificate of a CA that nobody trusts gets anything but 495 or the end of its connection', async (t) => {
  const gateway = await startTestGateway(t);
  const { pki } = gateway;
  const ca = await mintCa('nobody trusts this');
  const leaf = await mintClusterCertificate(SPIED_ON, ca);
  const derOf = reserialise(leaf, ca);
  assert.ok(new X509Certificate(derOf(1)).verify(createPublicKey(ca.pem)), 'the signatures are right');
  const statuses = new Map<number | 'ended', number>();
  let next = 0;
  const begun = performance.now();
  await besiege(gateway, async () => {
    const end = performance.now() + OVER_TLS_MS;
    await inParallel(CERTIFICATES, 6, async (index) => {
      if (performance.now() > end) return;
      next = Math.max(next, index + 1);
      const answer = await gateway
        .send({
          path: `/api/v2/flux/clusters/${SPIED_ON}/namespaces`,
          certificate: { chainPem: pemOf('CERTIFICATE', derOf(index)), keyPem: leaf.keyPem },
          // Many addresses: one would meet its limit of handshakes, which is another claim.
          localAddress: `127.0.1.${1 + (index % 50)}`,
        })
        .catch(() => undefined);
      const status = answer?.status ?? 'ended';
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
  });
  assert.deepEqual(
    [...statuses.keys()].filter((status) => status !== 'ended'),
    [495],
  );
  t.diagnostic(`${statuses.get(495)} over TLS`);
  // How many fit into the time is the machine's business; the others are judged below.
  assert.ok((statuses.get(495) ?? 0) >= 100, JSON.stringify([...statuses]));
  const refused = await gauge(gateway, 'fluxgate_client_certificates_refused_total', `rule="${RULE}"`);
  assert.equal(refused, statuses.get(495));
  const seconds = (performance.now() - begun) / 1_000;
  const lines = gateway.log.filter(({ status }) => status === 495).length;
  assert.ok(
    lines <= LIMITS.strangerLines.burst + LIMITS.strangerLines.perSecond * Math.ceil(seconds),
    `${lines} lines`,
  );

  const trust = createTrust({
    cluster: readBundle(pki.clusterBundlePem, 'CLUSTER_CA_FILE'),
    operator: undefined,
    spiffeTrustDomain: undefined,
  });
  for (let number = next; number < CERTIFICATES; number++) {
    // OpenSSL's word is put in their favour: the judge alone must refuse them.
    const openssl = { authorized: true, error: undefined };
    const verdict = judge({ presented: [derOf(number)], openssl, trust, nowMs: Date.now() });
    assert.equal(verdict.accepted ? 'accepted' : verdict.refusal.rule, RULE, String(number));
  }
});
