import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { READ_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { certificateSha256 } from '../support/revocations.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { postQuestion, refusalsOf } from '../support/why.ts';

const OWN = 'demo-cluster-01.k8s.example.com';
const OTHER = 'demo-cluster-02.k8s.example.com';
const inputs = (dns: string): string => `/api/v2/flux/clusters/${dns}/namespaces`;

describe('a refusal', async () => {
  const pki = await createTestPki();
  const gateway = shareGateway({ pki });

  it('of an expired certificate is found by cluster, by fingerprint and by request, and counted', async () => {
    const notAfter = new Date(Date.now() - 3_600_000);
    const certificate = await pki.cluster(OWN, { notBefore: new Date(0), notAfter });
    const first = await gateway().send({ path: inputs(OWN), certificate });
    const second = await gateway().send({ path: inputs(OWN), certificate });
    const sha256 = certificateSha256(certificate.pem);
    const ids = [first, second].map(({ headers }) => headers['x-request-id']);
    for (const query of [`certificate_sha256=${sha256}`, `request_id=${ids[0]}`, `request_id=${ids[1]}`]) {
      const [refusal, ...others] = await refusalsOf(gateway(), query);
      assert.deepEqual(others, [], query);
      assert.equal(refusal?.['rule'], 'expired');
      assert.equal(refusal['status'], 495);
      assert.equal(refusal.count, 2);
      assert.equal(refusal['last_request_id'], ids[1]);
      assert.equal(refusal['source'], '127.0.0.1');
      assert.match(String(refusal['reason']), /expired at/);
      assert.equal(refusal['cluster_dns'], undefined, 'nothing was proven');
      assert.deepEqual(refusal['claimed_cluster_dns'], [OWN]);
    }
    const byName = await refusalsOf(gateway(), `cluster_dns=${OWN}`);
    assert.deepEqual(
      byName.map(({ known_by }) => known_by),
      ['claimed'],
      'once, though the path says so as well',
    );
  });

  it('of a known cluster is proven; what a stranger claims stays a claim', async () => {
    const certificate = await pki.cluster(OTHER);
    assert.equal((await gateway().send({ path: '/clusters', certificate })).status, 403);
    const stranger = await createTestPki();
    const claim = await stranger.cluster(OTHER);
    assert.equal((await gateway().send({ path: '/health', certificate: claim })).status, 495);
    const found = await refusalsOf(gateway(), `cluster_dns=${OTHER}`);
    const proven = found.filter(({ known_by }) => known_by === 'proven');
    const claimed = found.filter(({ known_by }) => known_by === 'claimed');
    assert.deepEqual(
      proven.map((one) => one['cluster_dns']),
      [OTHER],
    );
    assert.deepEqual(proven[0]?.['policies'], ['never-cluster-operates']);
    assert.deepEqual(
      claimed.map((one) => [one['cluster_dns'], one['rule']]),
      [[undefined, 'untrusted']],
    );
  });

  it('tells no token that was pasted into a path, and is explained as that path all the same', async () => {
    const certificate = await pki.cluster('pasted.k8s.example.com', {
      notAfter: new Date(Date.now() - 1_000),
    });
    const refused = await gateway().send({ path: `/${READ_TOKEN}/x`, certificate });
    assert.equal(refused.status, 495);
    const request_id = refused.headers['x-request-id'];
    const [remembered] = await refusalsOf(gateway(), `request_id=${request_id}`);
    assert.equal(remembered?.['path'], '/…/x');
    const why = await postQuestion(gateway(), { request_id });
    assert.equal(why.status, 200);
    assert.ok(!why.body.includes(READ_TOKEN), why.body.toString());
    const { request } = why.json<{ request: { status: number; path: string } }>();
    assert.deepEqual([request.status, request.path], [495, '/…/x']);
  });

  it('of a token is found by the cluster that it asked for, with the policy', async () => {
    const certificate = await pki.cluster(OWN);
    assert.equal((await gateway().send({ path: inputs(OWN), certificate })).status, 200);
    assert.equal((await gateway().send({ path: inputs(OWN), token: READ_TOKEN })).status, 403);
    const found = await refusalsOf(gateway(), `cluster_dns=${OWN}`);
    const ofToken = found.find(({ status }) => status === 403);
    assert.deepEqual([ofToken?.known_by, ofToken?.['policies']], ['requested', ['ratchet-tokens']]);
  });

  it('of strangers in masses pushes nothing out that is known of others, and is kept 20 times for a name', async () => {
    const certificate = await pki.cluster(OTHER);
    for (let n = 0; n < 30; n++) {
      const path = `/api/v2/flux/clusters/c${n}.example.com/namespaces`;
      assert.equal((await gateway().send({ path, certificate })).status, 403);
    }
    const found = await refusalsOf(gateway(), `cluster_dns=${OTHER}`);
    assert.equal(found.filter(({ known_by }) => known_by === 'proven').length, 20);
  });

  it('that is not remembered is an empty list, and a question about it 404', async () => {
    assert.deepEqual(await refusalsOf(gateway(), `request_id=${'0'.repeat(24)}`), []);
    for (const body of [{ request_id: '0'.repeat(24) }, { certificate_sha256: '0'.repeat(64) }]) {
      assert.equal((await postQuestion(gateway(), body)).status, 404);
    }
  });

  it('is asked about by exactly one name', async () => {
    for (const query of [
      '',
      `cluster_dns=${OWN}&request_id=${'0'.repeat(24)}`,
      'cluster_dns=*',
      'rule=expired',
    ]) {
      await assert.rejects(refusalsOf(gateway(), query), /400/, query);
    }
  });

  it('question that is malformed is 400', async () => {
    const { chainPem, keyPem } = await pki.cluster(OWN);
    for (const body of [
      {},
      { chain_pem: chainPem, request_id: '0'.repeat(24) },
      { chain_pem: 'not PEM' },
      { chain_pem: keyPem },
      { chain_pem: chainPem.replace('M', '*') },
      { chain_pem: chainPem, path: '/health' },
      { chain_pem: chainPem, source: '10.0.0.1' },
      { chain_pem: chainPem, path: '/health', source: '10.0.0' },
      { chain_pem: chainPem, path: 'health', source: '10.0.0.1' },
      { chain_pem: chainPem, method: 'TRACE', path: '/health', source: '10.0.0.1' },
      { chain_pem: chainPem, at: '2030-02-30T00:00:00Z' },
      { chain_pem: chainPem, openssl: 'accepted' },
    ]) {
      const answer = await postQuestion(gateway(), body);
      assert.equal(answer.status, 400, JSON.stringify(Object.keys(body)));
      assert.equal(answer.json()['error'], 'validation_error');
      assert.ok(!answer.body.includes('PRIVATE KEY--'));
    }
  });
});
