import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRevocationList } from '../../../src/core/identity/revocation-list.ts';
import { systemClock } from '../../../src/shell/clock.ts';
import { createLog } from '../../../src/shell/log.ts';
import { createMetrics } from '../../../src/shell/metrics.ts';
import { createRevocations, type RevocationsParts } from '../../../src/shell/revocations.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { ALONE } from '../../../src/shell/workers/siblings.ts';
import { sampleRequest } from '../../support/audit.ts';

const order = (dns: string) => ({
  target: { kind: 'cluster_dns', dns } as const,
  reason: 'test',
  untilMs: undefined,
});

/** The real store in memory, with one of its parts replaced; and the versions that came into force, in order. */
async function setUp(tamper: (revocations: Store['revocations']) => Partial<Store['revocations']>) {
  const store = await openSqliteStore('sqlite::memory:');
  const versions: number[] = [];
  let current = createRevocationList([], 0);
  const parts: RevocationsParts = {
    store: { ...store, revocations: { ...store.revocations, ...tamper(store.revocations) } },
    clock: systemClock,
    log: createLog('silent', { write: () => {} }),
    metrics: createMetrics(),
    siblings: ALONE,
    current: () => current,
    async enforce(list) {
      current = list;
      versions.push(list.version);
    },
  };
  return { store, versions, revocations: createRevocations(parts), current: () => current };
}

test('a list that was read earlier and comes later never replaces a newer one', async (t) => {
  let reads = 0;
  const { store, versions, revocations, current } = await setUp((real) => ({
    async state() {
      const slow = reads++ === 0;
      const state = await real.state();
      if (slow) await new Promise((resolve) => setTimeout(resolve, 100));
      return state;
    },
  }));
  t.after(() => store.close());
  const first = revocations.revoke(order('a.example'), sampleRequest('test'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await revocations.revoke(order('b.example'), sampleRequest('test'));
  const revoked = await first;
  assert.equal(versions.at(-1), 2);
  assert.deepEqual(versions, versions.toSorted(), 'never an older one after a newer one');
  assert.equal(current().ids.size, 2);
  assert.equal(revoked.state, 'in_force');
  assert.ok(revoked.inForce !== undefined, 'in force by the newer list');
  await revocations.stop();
});

test('attempts that could not be written down are counted all the same, and written later, once', async (t) => {
  let refusals = 1;
  const { store, revocations } = await setUp((real) => ({
    async countAttempts(attempts) {
      if (refusals-- > 0) throw new Error('the disk is full');
      await real.countAttempts(attempts);
    },
  }));
  t.after(() => store.close());
  const { id } = await revocations.revoke(order('a.example'), sampleRequest('test'));
  for (let n = 0; n < 3; n++) revocations.attempted(id);
  assert.equal((await revocations.get(id))?.attempts, 3);
  assert.equal((await store.revocations.get(id))?.attempts, 0);
  await revocations.stop();
  assert.equal((await store.revocations.get(id))?.attempts, 3);
  assert.equal((await revocations.get(id))?.attempts, 3);
});

test('a revocation is in force while the store is busy, and out of force again where it cannot be kept', async (t) => {
  let refuse = (_error: Error): void => {};
  const { store, revocations, current } = await setUp(() => ({
    add: () =>
      new Promise((_resolve, reject) => {
        refuse = reject;
      }),
  }));
  t.after(() => store.close());
  const refused = assert.rejects(
    revocations.revoke(order('a.example'), sampleRequest('test')),
    /disk is full/,
  );
  assert.notEqual(current().cluster('a.example', Date.now()), undefined, 'at once');
  refuse(new Error('the disk is full'));
  await refused;
  assert.equal(current().cluster('a.example', Date.now()), undefined);
  assert.deepEqual(await revocations.list({ limit: 10, offset: 0 }), { items: [], total: 0 });
  await revocations.stop();
});
