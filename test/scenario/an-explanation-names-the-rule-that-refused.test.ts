import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOSTILE_DNS, HOSTILE_TRUST_DOMAIN } from '../support/hostile-case.ts';
import { hostileCertificates } from '../support/hostile-certificates.ts';
import { createTestPki } from '../support/pki.ts';
import { certificateSha256, revoke } from '../support/revocations.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { askWhy } from '../support/why.ts';

const PATH = `/api/v2/flux/clusters/${HOSTILE_DNS}/namespaces`;
const SEED = {
  clusters: [{ id: 'hostile', cluster_name: 'hostile', cluster_dns: HOSTILE_DNS, environment: 'prod' }],
};

interface Logged {
  readonly sha256: string;
  readonly refused: string;
  readonly position: string;
}

/** Of the moment that a detail names, which is another one for each request. */
const timeless = (detail: string | undefined): string => (detail ?? '').replace(/; it is \S+/, '');

describe('an explanation', async () => {
  const pki = await createTestPki();
  const hostile = await hostileCertificates(pki);
  const gateway = shareGateway({
    pki,
    seed: SEED,
    environment: { SPIFFE_TRUST_DOMAIN: HOSTILE_TRUST_DOMAIN },
  });

  for (const certificate of hostile) {
    it(`is what the log said of the live refusal: ${certificate.name}`, async () => {
      const refused = await gateway().send({ path: PATH, certificate });
      assert.equal(refused.status, 495);
      const line = gateway().logOf(refused);
      const logged = line['certificate'] as Logged;

      for (const question of [
        { request_id: refused.headers['x-request-id'] },
        { certificate_sha256: logged.sha256 },
        { chain_pem: certificate.chainPem },
      ]) {
        const why = await askWhy(gateway(), question);
        assert.equal(why.outcome, 'refused');
        assert.deepEqual([why.rule, why.position], [logged.refused, logged.position]);
        assert.equal(
          timeless(`${why.rule}: ${why.position}: ${why.detail}`),
          timeless(String(line['reason'])),
        );
        const decided = why.steps.filter((step) => step.decided === true);
        assert.equal(decided.length, 1);
        assert.deepEqual([decided[0]?.rule, decided[0]?.passed], [logged.refused, false]);
        assert.equal(why.openssl === 'not asked', 'chain_pem' in question);
        if ('request_id' in question) assert.equal(why.request?.status, 495);
      }
    });
  }

  it('of a good certificate tells what each rule saw, and by which policy it is let in', async () => {
    const certificate = await pki.cluster(HOSTILE_DNS);
    const asked = { chain_pem: certificate.chainPem, path: PATH, source: '203.0.113.7' };
    const why = await askWhy(gateway(), asked);
    assert.equal(why.outcome, 'accepted_if_openssl_agrees');
    assert.equal(why.openssl, 'not asked');
    assert.equal(why.principal, `cluster:${HOSTILE_DNS}`);
    const passed = (rule: string, position: string): string | undefined =>
      why.steps.find((step) => step.rule === rule && step.position === position && step.passed)?.saw;
    assert.match(passed('expired', 'leaf') ?? '', /valid until 20/);
    assert.match(passed('extended_key_usage', 'leaf') ?? '', /clientAuth/);
    assert.match(passed('bad_signature', 'leaf') ?? '', /test cluster intermediate/);
    assert.ok(passed('expired', 'intermediate 1') && passed('expired', 'anchor'));
    assert.ok(passed('revoked', 'chain') && passed('no_identity', 'leaf'));
    assert.ok(why.steps.every((step) => step.decided === undefined));
    assert.deepEqual([why.request?.status, why.request?.policies], [200, ['clusters-own-inputs']]);
    assert.deepEqual(
      why.request?.steps.map(({ step }) => step),
      ['route', 'cluster_dns', 'network', 'certificate', 'operation', 'policy'],
    );
    assert.equal((await gateway().send({ path: PATH, certificate })).status, 200);
    const seen = await askWhy(gateway(), { certificate_sha256: certificateSha256(certificate.pem) });
    assert.deepEqual([seen.outcome, seen.openssl], ['accepted', 'accepted']);
  });

  it('of a request names the step and the policy that refuse it, like the answer itself', async () => {
    const certificate = await pki.cluster('other.k8s.example.com');
    for (const [method, path, step] of [
      ['GET', PATH, 'policy'],
      ['GET', '/clusters', 'policy'],
      ['GET', '/nothing', 'operation'],
      ['DELETE', '/health', 'operation'],
      ['GET', '/api/v2/flux/clusters/A.example/namespaces', 'cluster_dns'],
    ] as const) {
      const real = await gateway().send({ method, path, certificate });
      const why = await askWhy(gateway(), {
        chain_pem: certificate.chainPem,
        method,
        path,
        source: '127.0.0.1',
      });
      assert.equal(why.request?.status, real.status, `${method} ${path}`);
      const failed = why.request?.steps.filter(({ passed }) => !passed);
      assert.deepEqual(
        failed?.map((one) => one.step),
        [step],
        path,
      );
      const line = gateway().logOf(real);
      assert.equal(why.request?.reason, line['reason']);
      assert.deepEqual(why.request?.policies, line['policies'] ?? []);
    }
    const operator = await pki.operator('op@example.com');
    const elsewhere = { chain_pem: operator.chainPem, path: '/clusters', source: '203.0.113.7' };
    const why = await askWhy(gateway(), elsewhere);
    assert.equal(why.request?.status, 403);
    assert.equal(why.request?.steps.at(-1)?.step, 'network');
  });

  it('of another moment says what would be then', async () => {
    const certificate = await pki.cluster(HOSTILE_DNS, { notAfter: new Date(Date.now() + 3_600_000) });
    const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
    assert.equal((await gateway().send({ path: PATH, certificate })).status, 200);
    const certificate_sha256 = certificateSha256(certificate.pem);
    const later = await askWhy(gateway(), { certificate_sha256, at: at(2) });
    assert.deepEqual([later.outcome, later.rule, later.openssl], ['refused', 'expired', 'not asked']);
    const earlier = await askWhy(gateway(), { certificate_sha256, at: at(-2) });
    assert.deepEqual([earlier.outcome, earlier.rule], ['refused', 'not_yet_valid']);
  });

  it('names the revocation that refuses, and changes nothing: nobody is let in or counted by it', async () => {
    const certificate = await pki.cluster('revoked.k8s.example.com');
    const { id } = await revoke(gateway(), { certificate_sha256: certificateSha256(certificate.pem) });
    const list = () => gateway().send({ path: `/revocations/${id}`, token: 'write-token-of-this-test-0002' });
    const [before, fleet] = [await list(), await gateway().fleet()];
    for (let n = 0; n < 3; n++) {
      const why = await askWhy(gateway(), { chain_pem: certificate.chainPem });
      assert.deepEqual([why.rule, why.revocation], ['revoked', id]);
    }
    assert.deepEqual((await list()).json(), before.json());
    assert.equal(await gateway().fleet(), fleet);
    assert.equal((await gateway().send({ path: '/health', certificate })).status, 495);
  });
});
