import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { servingPort } from '../cli/serve-environment.ts';
import { send } from '../support/client.ts';
import { READ_TOKEN, startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { operator, poll } from '../support/poll.ts';
import { fluxgate } from '../support/spawned.ts';

test('the refusal names the command, and that command brings the fleet back', async (t) => {
  const gateway = await startTestGateway(t);
  const path = join(gateway.directory, 'fleet.db');
  const before = await poll(gateway, 'demo-cluster-01');
  const fleet = await gateway.fleet();
  const backup = join(gateway.directory, 'backup.db');
  const made = await fluxgate(t, ['backup', '--database', `sqlite://${path}`, '--to', backup]).ended;
  assert.equal(made.code, 0, made.stderr);
  await gateway.gateway.close();
  const whole = join(gateway.directory, 'whole.db');
  copyFileSync(path, whole);
  const { environment: trust } = await gateway.pki.write(gateway.directory);
  const environment = {
    ...trust,
    API_MODE: 'crud',
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: 'off',
    DATABASE_URL: `sqlite://${path}`,
    AUTH_TOKEN: READ_TOKEN,
    CRUD_AUTH_TOKEN: WRITE_TOKEN,
  };

  const damages: readonly (readonly [what: string, damage: () => void])[] = [
    ['pages overwritten', () => overwrite(path, 4_096, Buffer.alloc(40_000, 0xa5))],
    ['cut in half', () => truncateSync(path, Math.floor(statSync(path).size / 2))],
    ['not a database', () => writeFileSync(path, 'x'.repeat(100_000))],
  ];
  // A large one is checked on a thread of its own while the rest of the start goes on.
  const large = join(gateway.directory, 'large.db');
  copyFileSync(whole, large);
  enlarge(large);
  let command = '';
  for (const [what, damage, store] of damages.flatMap(([what, damage]) => [
    [what, damage, whole] as const,
    [`a large store: ${what}`, damage, large] as const,
  ])) {
    copyFileSync(store, path);
    for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    damage();
    const refused = await fluxgate(t, ['serve'], { environment }).ended;
    assert.equal(refused.code, 78, `${what}: ${refused.stdout} ${refused.stderr}`);
    const lines = `${refused.stdout}${refused.stderr}`.trim().split('\n');
    const line = lines.find((text) => text.includes('is damaged')) ?? '';
    assert.match(line, /put a backup in its place/, `${what}: ${lines.join('\n')}`);
    command = /fluxgate -- (restore --database \S+ --from) FILE/.exec(line)?.[1] ?? '';
    assert.equal(command, `restore --database sqlite://${path} --from`, what);
  }

  const restored = await fluxgate(t, [...command.split(' '), backup]).ended;
  assert.equal(restored.code, 0, restored.stderr);
  const served = fluxgate(t, ['serve'], { environment });
  await served.said('"msg":"serving"');
  const port = servingPort(served.stdout());
  const again = {
    send: (request: Parameters<typeof gateway.send>[0]) =>
      send({ port, serverCaPem: gateway.pki.serverCa.pem }, request),
  };
  assert.deepEqual(await poll(again, 'demo-cluster-01'), before);
  const texts = await Promise.all(
    ['clusters', 'platform_components', 'namespaces', 'rolebindings'].map(async (name) =>
      (await operator(again)('GET', `/${name}`)).body.toString('utf8'),
    ),
  );
  assert.equal(texts.join('\n'), fleet);
  served.child.kill('SIGTERM');
  await served.ended;
});

function enlarge(path: string): void {
  const database = new SqliteDatabase(path);
  const insert = database.prepare('INSERT INTO meta (name, value) VALUES (?, ?)');
  for (let number = 0; number < 20; number++) insert.run(`padding ${number}`, 'x'.repeat(1_048_576));
  database.close();
}

function overwrite(path: string, at: number, octets: Buffer): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, octets, 0, octets.length, at);
  } finally {
    closeSync(file);
  }
}
