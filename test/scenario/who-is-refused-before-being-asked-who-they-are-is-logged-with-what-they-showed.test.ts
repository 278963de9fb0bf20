import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientCertificate, ClientRequest } from '../support/client.ts';
import type { LogLine } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { exchange } from '../support/raw.ts';
import { certificateSha256 } from '../support/revocations.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const POLL = `/api/v2/flux/clusters/${DNS}/namespaces`;
const OUTSIDE = '127.0.0.1';

/** Refused by the name of the step, before any step that asks for a credential. */
const REFUSED: readonly (readonly [step: string, status: number, request: ClientRequest])[] = [
  ['Host', 421, { path: POLL, headers: { host: 'attacker.example' } }],
  ['target', 400, { path: `${POLL}/../x` }],
  ['expectation', 400, { path: POLL, headers: { expect: 'x' } }],
  ['cluster_dns', 400, { path: POLL.replace('demo', 'DEMO') }],
  ['network', 403, { path: '/clusters', localAddress: OUTSIDE }],
];

const shownIn = (line: LogLine): unknown => line['presented'];

describe('a request that is refused before a credential is looked at', async () => {
  const pki = await createTestPki();
  const stranger = await createTestPki();
  const gateway = shareGateway({ pki, environment: { OPERATOR_NETWORKS: '127.0.0.2/32' } });
  const refused = async (request: ClientRequest, certificate?: ClientCertificate): Promise<LogLine> => {
    const answer = await gateway().send({ ...request, certificate });
    const line = gateway().logOf(answer);
    assert.equal(line['principal'], 'anonymous');
    assert.equal(line['certificate'], undefined, 'nobody asked whether it would do');
    return line;
  };

  for (const [step, status, request] of REFUSED) {
    it(`is logged with the fingerprint and the subject that were presented: ${step}`, async () => {
      for (const from of [pki, stranger]) {
        const certificate = await from.cluster(DNS, { subject: { CN: 'us-east', O: ['ops'] } });
        const line = await refused(request, certificate);
        assert.equal(line['status'], status);
        const { sha256, subject } = shownIn(line) as Record<string, string>;
        assert.equal(sha256, certificateSha256(certificate.pem));
        assert.deepEqual(subject?.split(', ').toSorted(), ['CN=us-east', 'O=ops']);
      }
      const without = await refused(request);
      assert.equal(without['status'], status);
      assert.equal(shownIn(without), undefined);
    });
  }

  it('has a stranger’s subject as one bounded line', async () => {
    for (const [CN, shows] of [
      ['a\u202eb\u0085c\nprincipal=x', /^CN=a.*principal=x$/],
      ['y'.repeat(2_000), /^CN=y{200,}…$/],
    ] as const) {
      const certificate = await stranger.cluster(DNS, { subject: { CN } });
      const line = await refused({ path: `${POLL}/../x` }, certificate);
      const { subject } = shownIn(line) as Record<string, string>;
      assert.match(subject ?? '', shows);
      assert.match(subject ?? '', /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u);
    }
  });

  it('is logged so where what was sent is no request at all', async () => {
    for (const certificate of [await stranger.cluster(DNS), undefined]) {
      const known = new Set(gateway().log);
      const { answers } = await exchange(gateway(), 'no request\r\n\r\n', {
        ...(certificate === undefined ? {} : { certificate }),
      });
      assert.deepEqual([answers.length, answers[0]?.status], [1, 400]);
      const line = gateway().log.find((one) => !known.has(one) && one.msg === 'refused: not a request');
      assert.ok(line !== undefined);
      const shown = certificate && { sha256: certificateSha256(certificate.pem), subject: `CN=${DNS}` };
      assert.deepEqual(shownIn(line), shown);
    }
  });

  it('does not count for whom the certificate names', async () => {
    const certificate = await pki.cluster('demo-cluster-02.k8s.example.com');
    await refused({ path: `${POLL}/../x` }, certificate);
    const { body } = await gateway().send({
      path: '/trust',
      certificate: await pki.operator('op@example.com'),
      localAddress: '127.0.0.2',
    });
    assert.doesNotMatch(body.toString(), /demo-cluster-02/);
  });
});
