import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { openSqliteStore } from '../../src/shell/store/sqlite-store.ts';
import { serveEnvironment } from '../cli/serve-environment.ts';
import { insertSampleFleet } from '../support/fleet.ts';
import { fluxgate } from '../support/spawned.ts';

const MIB = 1024 * 1024;

/** A store of more than 16 MiB is checked on a thread, and read ahead of that: three connections in one process, which holds one lock. */
for (const workers of ['1', '2']) {
  test(`WORKERS=${workers}: it is in use, and says so`, async (t) => {
    const { directory, environment } = await serveEnvironment(t);
    const url = environment['DATABASE_URL'] ?? '';
    const path = url.replace('sqlite://', '');
    const store = await openSqliteStore(url);
    await store.transact(insertSampleFleet);
    await store.close();
    const database = new SqliteDatabase(path);
    const insert = database.prepare('INSERT INTO meta (name, value) VALUES (?, ?)');
    for (let number = 0; number < 20; number++) insert.run(`padding ${number}`, 'x'.repeat(MIB));
    database.close();
    const backup = join(directory, 'fleet.backup');
    const copied = await fluxgate(t, ['backup', '--database', url, '--to', backup]).ended;
    assert.equal(copied.code, 0, copied.stderr);

    const gateway = fluxgate(t, ['serve'], {
      environment: { ...environment, ALLOW_ROOT: 'on', WORKERS: workers },
    });
    await gateway.said('"msg":"serving"');
    const { code, stderr } = await fluxgate(t, ['restore', '--database', url, '--from', backup]).ended;
    assert.equal(code, 78, stderr);
    assert.match(stderr, /is in use: stop the gateway first; nothing was changed/);
  });
}
