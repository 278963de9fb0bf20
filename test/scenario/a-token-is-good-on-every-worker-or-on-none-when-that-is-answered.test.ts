import assert from 'node:assert/strict';
import { it } from 'node:test';
import { makeToken, revokeToken } from '../support/tokens.ts';
import { startWorkers } from '../support/workers.ts';

it('a token that was made is good on every worker when that is answered, and one that was revoked on none', async (t) => {
  const gateway = await startWorkers(t, 2);
  const ways = [...(await gateway.ways(2)).values()];
  for (const through of [...ways, ...ways]) {
    const { id, token } = await makeToken(through, { kind: 'operator', roles: ['viewer'] });
    const statuses = (): Promise<number[]> =>
      Promise.all(ways.map(async (way) => (await way.send({ path: '/clusters', token })).status));
    assert.deepEqual(await statuses(), [200, 200]);
    assert.equal((await revokeToken(through, id)).status, 200);
    assert.deepEqual(await statuses(), [401, 401]);
  }
});
