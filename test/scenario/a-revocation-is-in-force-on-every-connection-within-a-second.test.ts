import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { keepOpen, within } from '../support/kept-open.ts';
import { createTestPki, type MintedChain, type TestPki } from '../support/pki.ts';
import {
  certificateSha256,
  inputsPath,
  lift,
  readRevocation,
  revoke,
  serialOf,
  spkiSha256,
} from '../support/revocations.ts';

const OWN = 'demo-cluster-01.k8s.example.com';
const OTHER = 'demo-cluster-02.k8s.example.com';

type Target = (pki: TestPki, certificate: MintedChain) => object;

const KINDS: Readonly<Record<string, Target>> = {
  certificate_sha256: (_pki, { pem }) => ({ certificate_sha256: certificateSha256(pem) }),
  spki_sha256: (_pki, { pem }) => ({ spki_sha256: spkiSha256(pem).toUpperCase() }),
  'issuer_sha256 and serial': (pki, { pem }) => ({
    issuer_sha256: certificateSha256(pki.clusterIntermediate.pem),
    serial: `00${serialOf(pem)}`,
  }),
  cluster_dns: () => ({ cluster_dns: OWN }),
  'the spki_sha256 of an intermediate': (pki) => ({ spki_sha256: spkiSha256(pki.clusterIntermediate.pem) }),
  'the certificate_sha256 of an anchor': (pki) => ({
    certificate_sha256: certificateSha256(pki.clusterRoot.pem),
  }),
};

describe('a revocation by API', () => {
  for (const [kind, target] of Object.entries(KINDS)) {
    const takesAll = kind.startsWith('the ');
    it(`of ${kind} refuses new connections, ends open ones, and nobody else's`, async (t) => {
      const gateway = await startTestGateway(t);
      const { pki } = gateway;
      const certificate = await pki.cluster(OWN);
      const revokedOpen = [await keepOpen(gateway, certificate), await keepOpen(gateway, certificate)];
      const others = [
        await keepOpen(gateway),
        await keepOpen(gateway, await pki.operator('op@example.com')),
        ...(takesAll ? [] : [await keepOpen(gateway, await pki.cluster(OTHER))]),
      ];
      assert.equal((await gateway.send({ path: inputsPath(OWN), certificate })).status, 200);

      const asked = performance.now();
      const revocation = await revoke(gateway, target(pki, certificate));
      for (const kept of revokedOpen) {
        await within(1_000, kept.ended, 'the end of an open connection');
        assert.equal(await kept.get('/health'), undefined, 'nothing more is answered on it');
      }
      t.diagnostic(`${kind}: ended ${(performance.now() - asked).toFixed(1)} ms after the request`);
      assert.equal(revocation.connections_closed, revokedOpen.length);
      assert.equal(revocation.state, 'in_force');
      const delay = Date.parse(revocation.in_force_at ?? '') - Date.parse(String(revocation['created_at']));
      assert.ok(delay >= 0, `in force ${delay} ms after it was asked for`);

      const refused = await gateway.send({ path: inputsPath(OWN), certificate });
      assert.equal(refused.status, 495);
      const line = gateway.logOf(refused);
      assert.equal((line['certificate'] as { refused: string }).refused, 'revoked');
      assert.equal(line['revocation'], revocation.id);
      assert.match(String(line['reason']), new RegExp(`${revocation.id}.*: test`));

      for (const kept of others) {
        assert.equal(kept.isEnded(), false);
        assert.equal((await kept.get('/health'))?.status, 200);
      }
      const { attempts, last_attempt_at } = await readRevocation(gateway, revocation.id);
      assert.equal(attempts, 1);
      assert.ok(last_attempt_at !== undefined);
      const logged = gateway.log.find(({ msg }) => msg === 'revocation in force');
      assert.equal(logged?.['connections_closed'], revokedOpen.length);
      assert.match(String(logged?.['request_id']), /^[0-9a-f]{24}$/);
    });
  }

  it('is counted by kind: those in force, and the attempts against them', async (t) => {
    const gateway = await startTestGateway(t);
    const metrics = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${gateway.gateway.adminAddress?.port}/metrics`)).text();
    const certificate = await gateway.pki.cluster(OWN);
    assert.match(await metrics(), /^fluxgate_revocations\{kind="cluster_dns"\} 0$/m);
    const { id } = await revoke(gateway, { cluster_dns: OWN });
    await revoke(gateway, { certificate_sha256: certificateSha256((await gateway.pki.cluster(OWN)).pem) });
    for (let n = 0; n < 3; n++) {
      assert.equal((await gateway.send({ path: inputsPath(OWN), certificate })).status, 495);
    }
    const text = await metrics();
    assert.match(text, /^fluxgate_revocations\{kind="cluster_dns"\} 1$/m);
    assert.match(text, /^fluxgate_revocations\{kind="certificate_sha256"\} 1$/m);
    assert.match(text, /^fluxgate_revocation_attempts_total\{kind="cluster_dns"\} 3$/m);
    assert.match(text, /^fluxgate_client_certificates_refused_total\{rule="revoked"\} 3$/m);
    await lift(gateway, id);
    assert.match(await metrics(), /^fluxgate_revocations\{kind="cluster_dns"\} 0$/m);
  });

  it('is not a matter of the name alone: the same serial under another issuer is another certificate', async (t) => {
    const pki = await createTestPki();
    const gateway = await startTestGateway(t, { pki });
    const certificate = await pki.cluster(OWN);
    const serial = serialOf(certificate.pem);
    await revoke(gateway, { issuer_sha256: certificateSha256(pki.operatorRoot.pem), serial });
    assert.equal((await gateway.send({ path: inputsPath(OWN), certificate })).status, 200);
  });
});
