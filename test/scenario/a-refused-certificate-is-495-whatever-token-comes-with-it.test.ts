import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { HOSTILE_DNS, HOSTILE_TRUST_DOMAIN } from '../support/hostile-case.ts';
import { type HostileCertificate, hostileCertificates } from '../support/hostile-certificates.ts';
import { createTestPki } from '../support/pki.ts';
import { exchange } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const PATH = `/api/v2/flux/clusters/${HOSTILE_DNS}/namespaces`;
/** The cluster that the hostile certificates claim to be is there: nothing but the certificate stands between. */
const SEED = {
  clusters: [
    { id: 'hostile', cluster_name: 'hostile', cluster_dns: HOSTILE_DNS, environment: 'prod' },
    { id: 'honest', cluster_name: 'honest', cluster_dns: 'honest.k8s.example.com', environment: 'prod' },
  ],
};

describe('a refused certificate', async () => {
  const pki = await createTestPki();
  const hostile = await hostileCertificates(pki);
  const gateway = shareGateway({
    pki,
    seed: SEED,
    environment: { SPIFFE_TRUST_DOMAIN: HOSTILE_TRUST_DOMAIN },
  });

  it('has a good counterpart: the same cluster with a good certificate is served', async () => {
    const answer = await gateway().send({ path: PATH, certificate: await pki.cluster(HOSTILE_DNS) });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json()['inputs'], []);
  });

  it('has many kinds', () => assert.ok(hostile.length >= 40, `${hostile.length} hostile certificates`));

  for (const certificate of hostile) {
    it(`is 495 on every route, with a good token too: ${certificate.name}`, async () => {
      for (const [path, token] of [
        [PATH, undefined],
        [PATH, WRITE_TOKEN],
        ['/clusters', WRITE_TOKEN],
        ['/health', undefined],
        ['/nothing-here', undefined],
      ] as const) {
        const answer = await gateway().send({ path, token, certificate });
        assert.equal(answer.status, 495, `${path}: ${answer.body}`);
        assert.equal(answer.json()['error'], 'certificate_rejected');
        assert.equal(answer.headers.connection, 'close');
        assertTellsNothing(answer.body.toString(), certificate);
      }
    });

    it(`ends its connection, and no second request on it is answered: ${certificate.name}`, async () => {
      // Not a Flux route: those end their connection for everybody.
      const request = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
      const { answers, ended } = await exchange(gateway(), ['', request + request], { certificate });
      assert.deepEqual(
        answers.map(({ status }) => status),
        [495],
      );
      assert.equal(ended, true);
    });
  }

  it('does not stand in the way of others', async () => {
    const answer = await gateway().send({
      path: '/api/v2/flux/clusters/honest.k8s.example.com/namespaces',
      certificate: await pki.cluster('honest.k8s.example.com'),
    });
    assert.equal(answer.status, 200);
  });
});

/** The body has a code, an id, and where to look: not the rule, not the name, not the CA. */
function assertTellsNothing(body: string, { expectedRule }: HostileCertificate): void {
  const { message, ...rest } = JSON.parse(body) as Record<string, string>;
  assert.deepEqual(Object.keys(rest).sort(), ['error', 'request_id']);
  assert.equal(
    message,
    "The client certificate is not accepted. The gateway's log says why, under this request id.",
  );
  assert.ok(!body.includes(expectedRule));
}
