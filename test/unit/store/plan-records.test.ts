import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RequestedPlan } from '../../../src/core/fleet/approval.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { sampleEntry } from '../../support/audit.ts';
import { samplePlan as plan } from '../../support/plans.ts';

async function opened(t: TestContext): Promise<Store> {
  const store = await openSqliteStore('sqlite::memory:');
  t.after(() => store.close());
  return store;
}
const request = (store: Store, requested: RequestedPlan): Promise<void> =>
  store.plans.request(requested, sampleEntry('plan_requested'));
const approve = (store: Store, { hash }: RequestedPlan, atMs: number): Promise<boolean> =>
  store.plans.approve(hash, { by: 'operator:kim@example.com', atMs }, sampleEntry('plan_approved'));
const events = async (store: Store): Promise<string[]> =>
  (await store.audit.list({ limit: 100, offset: 0 })).items.map(({ event }) => event).reverse();

test('a plan that is asked for again stays with who asked first, and is told once', async (t) => {
  const store = await opened(t);
  await request(store, plan(1));
  await request(store, plan(1, { requestedBy: 'operator:other@example.com', responsible: [] }));
  const kept = await store.plans.get(plan(1).hash, 2);
  assert.deepEqual(
    [kept?.requestedBy, kept?.responsible],
    ['operator:sam@example.com', ['operator:sam@example.com']],
  );
  assert.deepEqual(await events(store), ['plan_requested']);
});

test('a plan is approved once, and the approval is good until the plan expires', async (t) => {
  const store = await opened(t);
  await request(store, plan(1));
  assert.equal(await approve(store, plan(2), 2), false, 'there is no such plan');
  assert.equal(await approve(store, plan(1), 2), true);
  assert.equal(await approve(store, plan(1), 3), false, 'approved already');
  const approvalAt = (nowMs: number): Promise<object | undefined> =>
    store.transact((tx) => tx.planApproval(plan(1).hash, nowMs));
  assert.deepEqual(await approvalAt(1_000), { by: 'operator:kim@example.com', atMs: 2 });
  assert.equal(await approvalAt(1_001), undefined, 'expired');
  assert.equal(await store.plans.get(plan(1).hash, 1_001), undefined);
  assert.equal((await store.plans.list(1_001, 10, 0)).total, 0);
  assert.deepEqual(await events(store), ['plan_requested', 'plan_approved']);
});

test('a plan that has expired is not approved, and can be asked for anew', async (t) => {
  const store = await opened(t);
  await request(store, plan(1));
  assert.equal(await approve(store, plan(1), 1_001), false);
  await request(store, plan(1, { requestedMs: 2_000, expiresMs: 3_000 }));
  assert.equal((await store.plans.get(plan(1).hash, 2_001))?.approval, undefined);
});

test('a plan is closed with the transaction that carries it out, or not at all', async (t) => {
  const store = await opened(t);
  await request(store, plan(1));
  const close = store.transact(async (tx) => {
    await tx.closePlan(plan(1).hash);
    throw new Error('rolled back');
  });
  await assert.rejects(close, /rolled back/);
  assert.notEqual(await store.plans.get(plan(1).hash, 2), undefined);
  await store.transact((tx) => tx.closePlan(plan(1).hash));
  assert.equal(await store.plans.get(plan(1).hash, 2), undefined);
});

test('when there are too many, the oldest that nobody approved give way', async (t) => {
  const store = await opened(t);
  const later = { expiresMs: 1e9 };
  for (let n = 1; n <= LIMITS.plansKeptMax; n++) await request(store, plan(n, later));
  await approve(store, plan(1), 5);
  await request(store, plan(1_000, later));
  const there = async (n: number): Promise<boolean> => (await store.plans.get(plan(n).hash, 6)) !== undefined;
  assert.deepEqual(
    [await there(1), await there(2), await there(3), await there(1_000)],
    [true, false, true, true],
  );
  assert.equal((await store.plans.list(6, 1, 0)).total, LIMITS.plansKeptMax);
});
