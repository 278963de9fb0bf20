import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { serveEnvironment } from '../cli/serve-environment.ts';
import { makeLargeStore } from '../support/large-store.ts';
import { fluxgate } from '../support/spawned.ts';

const PAGE = 4_096;

test('it ends with what a start would have said, and the next start says it before it serves', async (t) => {
  const { environment } = await serveEnvironment(t);
  const path = await makeLargeStore(environment['DATABASE_URL'] ?? '');
  const leaf = unreadLeaf(path);
  const serve = (workers = '1') =>
    fluxgate(t, ['serve'], { environment: { ...environment, ALLOW_ROOT: 'on', WORKERS: workers } });

  const first = serve();
  await first.said('"msg":"serving"');
  // By something else, while it serves: it is what the seal is made of.
  overwrite(path, leaf);
  first.child.kill('SIGTERM');
  assert.equal((await first.ended).code, 0);
  assert.notEqual(readFileSync(`${path}-seal`, 'utf8'), '');

  const damaged = /DATABASE_URL: \S+fleet\.db is damaged \(.+\): put a backup in its place .*--from FILE/;
  // Of several workers each finds what others have done to the file: none goes by a seal.
  const several = await serve('2').ended;
  assert.equal(several.code, 78, several.stdout);
  assert.doesNotMatch(several.stdout, /"msg":"serving"/);
  assert.notEqual(readFileSync(`${path}-seal`, 'utf8'), '');

  const second = await serve().ended;
  assert.equal(second.code, 78, second.stdout);
  assert.match(second.stderr, damaged);
  assert.match(second.stdout, /"msg":"serving"/);
  const line = second.stdout.split('\n').find((text) => text.includes('cannot be served from any longer'));
  const { level, reason } = JSON.parse(line ?? '{}') as { level?: string; reason?: string };
  assert.equal(level, 'error');
  assert.match(reason ?? '', damaged);
  assert.match(second.stdout, /"msg":"stopped"/);

  assert.equal(readFileSync(`${path}-seal`, 'utf8'), '');
  const third = await serve().ended;
  assert.equal(third.code, 78);
  assert.match(third.stderr, damaged);
  assert.doesNotMatch(third.stdout, /"msg":"serving"/);
});

/** The number of a page of a table that no gateway reads, from 1 on. */
function unreadLeaf(path: string): number {
  const database = new SqliteDatabase(path);
  database.exec('CREATE TABLE unread (text TEXT)');
  const insert = database.prepare('INSERT INTO unread (text) VALUES (?)');
  for (let row = 0; row < 100; row++) insert.run('x'.repeat(1_000));
  const leaf = database.prepare("SELECT max(pageno) FROM dbstat WHERE name = 'unread'").pluck().get();
  database.close();
  return Number(leaf);
}

function overwrite(path: string, page: number): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, Buffer.alloc(PAGE, 0xa5), 0, PAGE, (page - 1) * PAGE);
  } finally {
    closeSync(file);
  }
}
