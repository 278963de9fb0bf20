import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { send } from '../support/client.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki, type TestPki } from '../support/pki.ts';
import { certificateSha256, readRevocation, revoke } from '../support/revocations.ts';

const OWN = 'demo-cluster-01.k8s.example.com';
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** `serve` in a process of its own, so that it can be killed. */
async function startProcess(pki: TestPki, directory: string, databaseUrl: string) {
  const { environment } = await pki.write(directory);
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...environment,
      API_MODE: 'crud',
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: 'off',
      DATABASE_URL: databaseUrl,
      CRUD_AUTH_TOKEN: WRITE_TOKEN,
    },
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, address } = JSON.parse(line) as { msg: string; address: string };
    if (msg !== 'serving') continue;
    const endpoint = { port: Number(address.split(':').at(-1)), serverCaPem: pki.serverCa.pem };
    child.stdout.resume();
    return { child, exited, send: (request: Parameters<typeof send>[1]) => send(endpoint, request) };
  }
  throw new Error('the process ended before it served');
}

it('a revocation that was answered is in force after kill -9, and after a restart', async (t) => {
  const pki = await createTestPki();
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-kill-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const databaseUrl = `sqlite://${join(directory, 'fleet.db')}`;
  const certificate = await pki.cluster(OWN);
  const request = { path: '/health', certificate };

  const first = await startProcess(pki, directory, databaseUrl);
  t.after(() => first.child.kill('SIGKILL'));
  assert.equal((await first.send(request)).status, 200);
  const { id } = await revoke(first, { certificate_sha256: certificateSha256(certificate.pem) });
  first.child.kill('SIGKILL');
  assert.equal((await first.exited)[1], 'SIGKILL');

  for (const again of ['after kill -9', 'after a restart']) {
    const gateway = await startTestGateway(t, { pki, environment: { DATABASE_URL: databaseUrl } });
    const refused = await gateway.send(request);
    assert.equal(refused.status, 495, again);
    assert.equal(gateway.logOf(refused)['revocation'], id);
    assert.equal((await gateway.send({ path: '/health', certificate: await pki.cluster(OWN) })).status, 200);
    const { state, attempts } = await readRevocation(gateway, id);
    assert.deepEqual([state, attempts], ['in_force', again === 'after kill -9' ? 1 : 2]);
    await gateway.gateway.close();
  }
});
