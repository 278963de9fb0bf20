import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LAUNCHER } from '../support/command-line.ts';
import { sendJson, startHostileServer } from '../support/hostile-server.ts';
import { createTestPki } from '../support/pki.ts';
import { spawned } from '../support/spawned.ts';

const HOUR = '2026-03-01T12';

/** As GET /audit has them: newest row first. Refusals become a row when they are gathered, so row 4 tells of what was before row 3. */
const ROWS = [
  { sequence: 4, at: `${HOUR}:00:05.000Z`, event: 'denied' },
  { sequence: 3, at: `${HOUR}:00:30.000Z`, event: 'fleet_changed' },
  { sequence: 2, at: `${HOUR}:00:01.000Z`, event: 'reloaded' },
  { sequence: 1, at: `${HOUR}:00:01.000Z`, event: 'started' },
];
const IN_TIME = ['started', 'reloaded', 'denied', 'fleet_changed'];
/** Comes while somebody looks. */
const LATER = [
  { sequence: 6, at: `${HOUR}:01:00.000Z`, event: 'unauthenticated' },
  { sequence: 5, at: `${HOUR}:01:10.000Z`, event: 'stopped' },
];

test('audit tail orders what it prints by time, row by row where times are equal, and misses nothing for it', async (t) => {
  const pki = await createTestPki();
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-audit-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'ca.pem'), pki.serverCa.pem);
  let rows: readonly object[] = ROWS;
  const server = await startHostileServer(t, pki, (_, response) => sendJson(response, rows));
  const environment = {
    HOME: directory,
    API_CA_FILE: join(directory, 'ca.pem'),
    API_TOKEN: 'a-token-that-nobody-has',
    API_URL: server.url,
  };
  const tail = [LAUNCHER, 'audit', 'tail'];
  const all = await spawned(t, tail, { environment }).ended;
  const events = all.stdout.match(/\b(?:started|reloaded|denied|fleet_changed)\b/g);
  assert.deepEqual(events, IN_TIME, all.stderr);

  const following = spawned(t, [...tail, '--follow'], { environment });
  await following.said('fleet_changed');
  rows = [...LATER, ...ROWS];
  await following.said('stopped');
  following.child.kill('SIGINT');
  const { stdout } = await following.ended;
  assert.deepEqual(stdout.match(/\b(?:denied|fleet_changed|unauthenticated|stopped)\b/g), [
    'denied',
    'fleet_changed',
    'unauthenticated',
    'stopped',
  ]);
});
