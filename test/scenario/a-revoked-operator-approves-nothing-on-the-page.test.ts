import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { within } from '../support/kept-open.ts';
import { startOrdinaryDay } from '../support/ordinary-day.ts';
import { certificateSha256, postRevocation } from '../support/revocations.ts';
import { formTokenOf, visitor } from '../support/status-page.ts';

/** Kim, who may approve, has the plan's page open with its form. */
async function stage(t: TestContext) {
  const day = await startOrdinaryDay(t);
  const { gateway, kim, sam, planHash } = day;
  const person = visitor(gateway, { certificate: kim });
  const form_token = formTokenOf(await person.get(`/ui/plans/${planHash}`));
  return {
    gateway,
    approve: () => person.post(`/ui/plans/${planHash}/approve`, { form_token }),
    revoke: () =>
      postRevocation(gateway, { certificate_sha256: certificateSha256(kim.chainPem), reason: 'left' }),
    isRevoked: async () => (await gateway.send({ path: '/health', certificate: kim })).status === 495,
    async assertNotApproved() {
      const plan = await gateway.send({ path: `/plans/${planHash}`, certificate: sam });
      assert.equal(plan.status, 200);
      assert.equal(plan.json()['approved_by'], undefined);
      const rows = await gateway.send({ path: '/audit?event=plan_approved', certificate: sam });
      assert.deepEqual(rows.json(), []);
    },
  };
}

test('a form that was shown before its reader was revoked approves nothing', async (t) => {
  const { approve, revoke, assertNotApproved } = await stage(t);
  assert.equal((await revoke()).status, 201);
  assert.equal((await approve()).status, 495);
  await assertNotApproved();
});

test('an approval that waits for the store while its author is revoked is none', async (t) => {
  const { gateway, approve, revoke, isRevoked, assertNotApproved } = await stage(t);
  const other = new SqliteDatabase(join(gateway.directory, 'fleet.db'));
  other.exec('BEGIN IMMEDIATE');
  const approval = approve();
  // The page's own questions are answered before it waits for its turn to write.
  await pause(300);
  const revocation = revoke();
  const inForce = async (): Promise<void> => {
    while (!(await isRevoked())) await pause(20);
  };
  await within(3_000, inForce(), 'in force while the store is busy');
  other.exec('ROLLBACK');
  other.close();
  assert.equal((await revocation).status, 201);
  assert.equal((await approval).status, 495);
  await assertNotApproved();
});
