import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fluxgate } from '../support/spawned.ts';

describe('npm run demo', () => {
  it('tells who may read, revokes, rotates a CA under load, and exits 0', async (t) => {
    const { code, stdout, stderr } = await fluxgate(t, ['demo']).ended;
    assert.deepEqual([code, stderr], [0, ''], stdout);
    const statuses = [...stdout.matchAll(/^ {2}(\d{3}) {2}/gm)].map(([, status]) => Number(status));
    assert.deepEqual(statuses, [200, 403, 401, 200, 403, 200, 201, 495, 200, 200, 495, 200]);
    assert.match(stdout, /^ {7}\d+ polls during the rotation, 0 refused$/m);
    assert.match(stdout, /That was Fluxgate\.[^\n]*\n$/);
  });
});
