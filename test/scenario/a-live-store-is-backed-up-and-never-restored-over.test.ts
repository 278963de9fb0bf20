import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

async function fluxgate(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number, out, err };
}

test('backup and restore beside a serving gateway, and after it', async (t) => {
  const gateway = await startTestGateway(t);
  const database = `sqlite://${join(gateway.directory, 'fleet.db')}`;
  const copy = join(gateway.directory, 'fleet.backup');
  const before = await gateway.fleet();

  const backedUp = await fluxgate('backup', '--database', database, '--to', copy);
  assert.deepEqual([backedUp.code, backedUp.err], [0, '']);
  assert.match(backedUp.out, /^backed up to \S+: \d+ bytes, checked, up to revision 1\n$/);

  const written = await gateway.send({
    method: 'POST',
    path: '/namespaces',
    token: WRITE_TOKEN,
    body: { id: 'late' },
  });
  assert.equal(written.status, 201);
  const inUse = await fluxgate('restore', '--database', database, '--from', copy);
  assert.equal(inUse.code, 78);
  assert.match(
    inUse.err,
    /^fluxgate: \S+fleet\.db is in use: stop the gateway first; nothing was changed\n$/,
  );
  assert.notEqual(await gateway.fleet(), before);

  await gateway.gateway.close();
  const restored = await fluxgate('restore', '--database', database, '--from', copy);
  assert.deepEqual([restored.code, restored.err], [0, '']);
  assert.match(restored.out, /kept as \S+fleet\.db\.replaced\ncarried over from it: 0 revocations .*\n$/);
  const again = await startTestGateway(t, { environment: { DATABASE_URL: database } });
  assert.equal(await again.fleet(), before);
});
