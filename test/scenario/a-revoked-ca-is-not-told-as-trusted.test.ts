import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { certificateSha256, lift, revoke, serialOf, spkiSha256 } from '../support/revocations.ts';
import { readTrust } from '../support/trust.ts';

async function revokedIn(gateway: TestGateway): Promise<Readonly<Record<string, string>>> {
  const { authorities } = await readTrust(gateway);
  assert.equal(authorities.length, 3);
  return Object.fromEntries(
    authorities.flatMap(({ sha256, revoked_by: by }) => (by === undefined ? [] : [[sha256, by]])),
  );
}

describe('a CA that is revoked', () => {
  it('is told with its revocation, by certificate, key or serial, for as long as that is in force', async (t) => {
    const gateway = await startTestGateway(t);
    const { clusterRoot, clusterIntermediate, operatorRoot } = gateway.pki;
    const root = certificateSha256(clusterRoot.pem);
    const issuing = certificateSha256(clusterIntermediate.pem);
    const operators = certificateSha256(operatorRoot.pem);
    assert.deepEqual(await revokedIn(gateway), {});
    for (const [target, sha256] of [
      [{ certificate_sha256: root }, root],
      [{ spki_sha256: spkiSha256(operatorRoot.pem) }, operators],
      [{ certificate_sha256: issuing }, issuing],
      [{ issuer_sha256: root, serial: serialOf(clusterIntermediate.pem) }, issuing],
    ] as const) {
      const { id } = await revoke(gateway, target);
      assert.deepEqual(await revokedIn(gateway), { [sha256]: id });
      assert.equal((await lift(gateway, id)).status, 200);
      assert.deepEqual(await revokedIn(gateway), {});
    }
    await revoke(gateway, {
      certificate_sha256: certificateSha256((await gateway.pki.cluster('x.example.com')).pem),
    });
    assert.deepEqual(await revokedIn(gateway), {}, 'a leaf of it is not the CA');
  });

  it('is not called trusted on the page', async (t) => {
    const gateway = await startTestGateway(t);
    const certificate = await gateway.pki.operator('sam@example.com');
    const page = async (): Promise<string> => {
      const answer = await gateway.send({ path: '/ui/trust', certificate, headers: { accept: 'text/html' } });
      assert.equal(answer.status, 200);
      return answer.body.toString('utf8');
    };
    assert.match(await page(), /One CA is trusted\./);
    assert.doesNotMatch(await page(), /evoked by|>revoked</);
    const { id } = await revoke(gateway, {
      certificate_sha256: certificateSha256(gateway.pki.clusterRoot.pem),
    });
    const revoked = await page();
    assert.match(revoked, new RegExp(`Revoked by ${id}: nobody is let in under it`));
    assert.match(revoked, /No CA is trusted/);
    assert.doesNotMatch(revoked, /One CA is trusted/);
    await revoke(gateway, { certificate_sha256: certificateSha256(gateway.pki.clusterIntermediate.pem) });
    assert.match(await page(), /<span class="tag">revoked<\/span>/);
  });
});
