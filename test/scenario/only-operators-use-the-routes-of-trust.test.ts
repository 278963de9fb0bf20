import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { READ_TOKEN, startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { postRevocation, revoke } from '../support/revocations.ts';

const SHA256 = 'ab'.repeat(32);
const REASON: Readonly<Record<string, object>> = { '/revocations': { reason: 'none' } };

describe('revocations, refusals and explanations', () => {
  it('are made, read and lifted by operators only', async (t) => {
    const gateway = await startTestGateway(t);
    const { id } = await revoke(gateway, { cluster_dns: 'elsewhere.example.com' });
    const cluster = await gateway.pki.cluster('demo-cluster-01.k8s.example.com');
    for (const [credential, status] of [
      [{}, 401],
      [{ token: 'unknown-token' }, 401],
      [{ token: READ_TOKEN }, 403],
      [{ certificate: cluster }, 403],
    ] as const) {
      for (const [method, path] of [
        ['POST', '/revocations'],
        ['GET', '/revocations'],
        ['GET', `/revocations/${id}`],
        ['DELETE', `/revocations/${id}`],
        ['GET', '/refusals?cluster_dns=demo-cluster-01.k8s.example.com'],
        ['POST', '/explain'],
      ] as const) {
        const body = method === 'POST' ? { certificate_sha256: SHA256, ...REASON[path] } : undefined;
        assert.equal((await gateway.send({ method, path, body, ...credential })).status, status);
      }
    }
    const listed = await gateway.send({ path: '/revocations', token: WRITE_TOKEN });
    assert.deepEqual(
      listed.json<{ id: string; state: string }[]>().map((one) => [one.id, one.state]),
      [[id, 'in_force']],
    );
  });

  it('are not there in read-only mode', async (t) => {
    const gateway = await startTestGateway(t, { environment: { API_MODE: 'read-only' } });
    assert.equal((await postRevocation(gateway, { certificate_sha256: SHA256, reason: 'x' })).status, 405);
    for (const path of ['/revocations', `/refusals?certificate_sha256=${SHA256}`]) {
      assert.equal((await gateway.send({ path, token: WRITE_TOKEN })).status, 404);
    }
    const question = { method: 'POST', path: '/explain', token: WRITE_TOKEN, body: {} };
    assert.equal((await gateway.send(question)).status, 405);
  });

  const BAD: readonly (readonly [string, unknown, string])[] = [
    ['no target', { reason: 'x' }, '/'],
    ['two targets', { certificate_sha256: SHA256, cluster_dns: 'a.example.com', reason: 'x' }, '/'],
    ['a serial without its issuer', { serial: '01', reason: 'x' }, '/issuer_sha256'],
    ['an issuer without a serial', { issuer_sha256: SHA256, reason: 'x' }, '/serial'],
    ['the serial zero', { issuer_sha256: SHA256, serial: '00', reason: 'x' }, '/serial'],
    ['a serial that is not hex', { issuer_sha256: SHA256, serial: '0x1', reason: 'x' }, '/serial'],
    ['no reason', { certificate_sha256: SHA256 }, '/reason'],
    ['a blank reason', { certificate_sha256: SHA256, reason: '  ' }, '/reason'],
    ['a reason of two lines', { certificate_sha256: SHA256, reason: 'a\nb' }, '/reason'],
    ['a reason without end', { certificate_sha256: SHA256, reason: 'x'.repeat(501) }, '/reason'],
    ['a fingerprint that is too short', { spki_sha256: 'ab', reason: 'x' }, '/spki_sha256'],
    ['a name that is not canonical', { cluster_dns: 'A.example.com', reason: 'x' }, '/cluster_dns'],
    ['a wildcard', { cluster_dns: '*.example.com', reason: 'x' }, '/cluster_dns'],
    ['an unknown field', { certificate_sha256: SHA256, reason: 'x', force: true }, '/force'],
    ['an end in the past', { spki_sha256: SHA256, reason: 'x', until: '2020-01-01T00:00:00Z' }, '/until'],
    [
      'an end that never comes',
      { spki_sha256: SHA256, reason: 'x', until: '2999-02-30T00:00:00Z' },
      '/until',
    ],
    ['an end that is no time', { spki_sha256: SHA256, reason: 'x', until: 'tomorrow' }, '/until'],
  ];
  it('with a bad body are 400, name the field, and change nothing', async (t) => {
    const gateway = await startTestGateway(t);
    for (const [what, body, field] of BAD) {
      const answer = await postRevocation(gateway, body);
      assert.equal(answer.status, 400, what);
      const { error, details } = answer.json<{ error: string; details: { field: string }[] }>();
      assert.equal(error, 'validation_error', what);
      assert.ok(
        details.some((detail) => detail.field === field),
        `${what}: ${answer.body}`,
      );
    }
    const listed = await gateway.send({ path: '/revocations', token: WRITE_TOKEN });
    assert.deepEqual(listed.json(), []);
  });
});
