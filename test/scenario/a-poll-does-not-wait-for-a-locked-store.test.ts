import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { LIMITS } from '../../src/core/limits.ts';
import { startTestGateway } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { demoDns, poll, readTrust } from '../support/trust.ts';

it('a poll does not wait for a store that takes no writes', async (t) => {
  const pki = await createTestPki();
  const gateway = await startTestGateway(t, { pki });
  const before = await pki.cluster(demoDns(1));
  // The ratchet turns with the first poll, and that is kept before it is answered; from then on nothing is.
  assert.equal((await poll(gateway, demoDns(1), before)).status, 200);
  const renewed = await Promise.all(Array.from({ length: 5 }, () => pki.cluster(demoDns(1))));

  const another = new SqliteDatabase(join(gateway.directory, 'fleet.db'));
  t.after(() => another.close());
  another.exec('BEGIN IMMEDIATE');
  const until = performance.now() + LIMITS.pinsFlushMs * 6;
  let slowestMs = 0;
  let polls = 0;
  while (performance.now() < until) {
    const started = performance.now();
    // Each with a new key and a new certificate: all that is written behind a poll.
    const answer = await poll(gateway, demoDns(1), renewed[polls % renewed.length]);
    slowestMs = Math.max(slowestMs, performance.now() - started);
    assert.equal(answer.status, 200);
    polls++;
  }
  // 5 s is what a writer waits for a lock.
  assert.ok(slowestMs < 1_000, `${slowestMs} ms`);
  assert.equal((await readTrust(gateway)).conflicts.total, 1);
  assert.ok(
    gateway.log.some(({ msg, level }) => level === 'warn' && msg.startsWith('not written to the store yet')),
    'the log says that it is in memory only',
  );
  const rows = (): unknown => another.prepare('SELECT document FROM key_pins').pluck().all();
  const stored = JSON.stringify(rows());
  another.exec('COMMIT');
  const deadline = performance.now() + 10_000;
  while (JSON.stringify(rows()) === stored && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.notEqual(JSON.stringify(rows()), stored, 'written as soon as the store takes it');
});
