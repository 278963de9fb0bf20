import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { DEMO_SEED } from '../../src/core/fleet/demo-fleet.ts';
import { send } from '../support/client.ts';
import { fluxgate, type Spawned } from '../support/spawned.ts';
import { type ServeEnvironment, serveEnvironment, servingPort } from './serve-environment.ts';

interface Held extends ServeEnvironment {
  readonly gateway: Spawned;
  /** Where the seed goes that the gateway is waiting for. */
  readonly seed: FileHandle;
}

/** A gateway in the midst of starting: it reads its seed from a pipe that nobody has written to yet. */
async function heldAtStart(t: TestContext): Promise<Held> {
  const prepared = await serveEnvironment(t);
  const pipe = join(prepared.directory, 'seed.json');
  execFileSync('mkfifo', [pipe]);
  const gateway = fluxgate(t, ['serve'], { environment: { ...prepared.environment, SEED_FILE: pipe } });
  const seed = await open(pipe, 'w');
  return { ...prepared, gateway, seed };
}

async function exitOf(gateway: Spawned): Promise<unknown[]> {
  const { code, signal, stderr } = await gateway.ended;
  return [code, signal, stderr];
}

describe('serve', () => {
  it('survives SIGHUP while it starts, reloads for it once it serves, reloads again, and ends on SIGINT', async (t) => {
    const { gateway, seed, pki, environment } = await heldAtStart(t);
    gateway.child.kill('SIGHUP');
    await seed.writeFile(JSON.stringify(DEMO_SEED));
    await seed.close();
    await gateway.said('"msg":"serving"');
    await gateway.said('"trigger":"SIGHUP","generation":2');
    const endpoint = { port: servingPort(gateway.stdout()), serverCaPem: pki.serverCa.pem };
    assert.equal((await send(endpoint, { path: '/ready' })).status, 200);
    gateway.child.kill('SIGHUP');
    await gateway.said('"trigger":"SIGHUP","generation":3');

    // Where the admin listener is off, the health check asks the HTTPS port.
    const settings = { ...environment, LISTEN_ADDR: `127.0.0.1:${endpoint.port}` };
    const health = await fluxgate(t, ['healthcheck'], { environment: settings }).ended;
    assert.deepEqual([health.code, health.stdout, health.stderr], [0, 'ready\n', '']);

    gateway.child.kill('SIGINT');
    assert.deepEqual(await exitOf(gateway), [0, null, '']);
    assert.match(gateway.stdout(), /"msg":"stopped"\}\n$/);
  });

  it('ends on SIGTERM while it starts, with nothing seeded', async (t) => {
    const { gateway, seed } = await heldAtStart(t);
    gateway.child.kill('SIGTERM');
    await gateway.said('asked to stop before serving');
    await seed.close();
    assert.deepEqual(await exitOf(gateway), [0, null, '']);
    assert.doesNotMatch(gateway.stdout(), /"serving"/);
  });
});
