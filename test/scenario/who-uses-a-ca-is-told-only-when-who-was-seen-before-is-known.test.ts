import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { openSqliteStore } from '../../src/shell/store/sqlite-store.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';

it('where what was seen before the start cannot be read, nobody is told that a CA is not used: 503', async (t) => {
  const gateway = await startTestGateway(t, {
    async prepare(directory) {
      const url = `sqlite://${join(directory, 'before.db')}`;
      const store = await openSqliteStore(url);
      // Valid as far as the store looks at it, and no sighting.
      const seen = {
        kind: 'cluster',
        name: 'east.k8s.example.com',
        credential: 'certificate',
        document: '{}',
      };
      await store.sightings.save({
        sightings: [{ ...seen, leaf: Uint8Array.of(1), issuers: [] }],
        forgotten: [],
        pins: [],
      });
      await store.close();
      return { DATABASE_URL: url };
    },
  });
  for (const path of ['/trust', '/trust/clusters/east.k8s.example.com']) {
    const answer = await gateway.send({ path, token: WRITE_TOKEN });
    assert.equal(answer.status, 503, path);
  }
  const plan = {
    method: 'POST',
    path: '/trust/plan',
    token: WRITE_TOKEN,
    body: { remove_anchors: ['a'.repeat(64)] },
  };
  assert.equal((await gateway.send(plan)).status, 503);
});
