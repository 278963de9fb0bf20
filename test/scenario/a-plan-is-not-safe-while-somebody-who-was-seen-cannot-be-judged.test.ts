import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { writeSighting } from '../../src/shell/presentation-records.ts';
import { openSqliteStore } from '../../src/shell/store/sqlite-store.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';

it('a plan is not safe while an operator was seen whose certificate is gone from the store, and says who it is', async (t) => {
  const pki = await createTestPki();
  const operator = await pki.operator('sam@example.com');
  const gateway = await startTestGateway(t, {
    pki,
    async prepare(directory) {
      const url = `sqlite://${join(directory, 'before.db')}`;
      const store = await openSqliteStore(url);
      const seen = writeSighting({
        kind: 'operator',
        name: 'sam@example.com',
        credential: 'certificate',
        certificate: {
          sha256: 'a'.repeat(64),
          spkiSha256: 'b'.repeat(64),
          serial: '01',
          subject: 'CN=sam',
          issuer: 'CN=operators',
          anchorSha256: 'c'.repeat(64),
          issuersSha256: [],
          notAfter: Date.now() + 86_400_000,
        } as never,
        tokenId: undefined,
        // Octets of which that is not the fingerprint.
        leaf: Uint8Array.of(1),
        issuers: [],
        tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' } as never,
        source: '127.0.0.1',
        firstSeenMs: Date.now(),
        lastSeenMs: Date.now(),
        count: 1,
      });
      await store.sightings.save({ sightings: [seen], forgotten: [], pins: [] });
      await store.close();
      return { DATABASE_URL: url };
    },
  });
  const plan = async () => {
    const answer = await gateway.send({
      method: 'POST',
      path: '/trust/plan',
      token: WRITE_TOKEN,
      body: { cluster_ca_pem: pki.clusterBundlePem, operator_ca_pem: pki.operatorBundlePem },
    });
    assert.equal(answer.status, 200);
    return JSON.parse(answer.body.toString('utf8')) as { safe: boolean; warnings: string[] };
  };
  const before = await plan();
  assert.equal(before.safe, false);
  assert.match(before.warnings.join(), /gone from the store: operator sam@example\.com; whoever comes again/);
  const came = await gateway.send({ path: '/clusters', certificate: operator });
  assert.equal(came.status, 200);
  const after = await plan();
  assert.deepEqual([after.safe, after.warnings], [true, []]);
});
