import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PageSession } from '../../../src/core/identity/page-session.ts';
import { PAGE_LIMITS } from '../../../src/core/page-limits.ts';
import { openDatabase } from '../../../src/shell/store/database.ts';
import { createSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { temporaryDatabase } from './temporary.ts';

const T0 = Date.parse('2026-05-04T00:00:00Z');
const MINUTE = 60_000;
const GREEDY = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
let made = 0;

const sessionOf = (tokenSha256: string, startedMs: number): PageSession => ({
  id: String(made++).padStart(32, '0'),
  tokenSha256,
  startedMs,
  endsMs: startedMs + PAGE_LIMITS.sessionMs,
});

function open(t: TestContext) {
  const connections = openDatabase(temporaryDatabase(t).url);
  const store = createSqliteStore(connections);
  t.after(() => store.close());
  const rows = connections.reader
    .prepare("SELECT count(*) FROM meta WHERE name LIKE 'page-session:%'")
    .pluck();
  return { ended: store.endedSessions, writer: connections.writer, rows: () => rows.get() as number };
}

test('one token’s holder takes no room from others: too many of its sessions become one row', async (t) => {
  const { ended, rows } = open(t);
  const early = sessionOf(GREEDY, T0);
  for (let n = 0; n < PAGE_LIMITS.endedSessionsPerTokenMax * 3; n++) {
    const session = sessionOf(GREEDY, T0 + n);
    await ended.add(session, T0 + n);
    assert.ok(await ended.has(session), String(n));
    assert.ok(rows() <= PAGE_LIMITS.endedSessionsPerTokenMax + 1);
  }
  const other = sessionOf(OTHER, T0);
  assert.equal(await ended.has(other), false, 'another token’s sessions go on');
  await ended.add(other, T0 + MINUTE);
  assert.ok(await ended.has(other));
  assert.ok(await ended.has(early), 'its own that were begun before are over');
  assert.equal(await ended.has(sessionOf(GREEDY, T0 + MINUTE)), false, 'signing in again is a new session');
});

test('where there is no room at all a token’s rows become one, and nothing that was ended begins again', async (t) => {
  const { ended, writer, rows } = open(t);
  const first = sessionOf(OTHER, T0);
  await ended.add(first, T0);
  const fill = writer.prepare('INSERT INTO meta (name, value) VALUES (?, ?)');
  const endsMs = T0 + PAGE_LIMITS.sessionMs;
  for (let n = 1; n < PAGE_LIMITS.endedSessionsMax; n++) fill.run(`page-session:x${n}`, `${endsMs} ${n}`);
  const second = sessionOf(OTHER, T0 + 1);
  await ended.add(second, T0 + MINUTE);
  assert.deepEqual([await ended.has(first), await ended.has(second)], [true, true]);
  assert.equal(rows(), PAGE_LIMITS.endedSessionsMax);
  await assert.rejects(ended.add(sessionOf(GREEDY, T0), T0 + MINUTE), { code: 'unavailable' });
  const again = sessionOf(OTHER, T0 + 2 * MINUTE);
  await ended.add(again, T0 + 3 * MINUTE);
  assert.ok(await ended.has(again));
  assert.ok(await ended.has(first));
  // An hour later all of it can be forgotten.
  const later = sessionOf(GREEDY, T0 + 120 * MINUTE);
  await ended.add(later, T0 + 121 * MINUTE);
  assert.equal(rows(), 1);
});
