import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEMO_SEED } from '../../src/core/fleet/demo-fleet.ts';
import { type ServeEnvironment, serveEnvironment } from '../cli/serve-environment.ts';
import { fluxgate, PROJECT, type Spawned } from '../support/spawned.ts';

const PROBE = fileURLToPath(new URL('../support/escapes.ts', import.meta.url));
const NATIVE = join(
  PROJECT,
  'node_modules/better-sqlite3/prebuilds',
  `${process.platform}-${process.arch}.node`,
);

interface Prepared extends ServeEnvironment {
  readonly data: string;
  readonly outside: string;
}

/** A gateway with an intruder in it, and what the intruder is after. */
async function prepare(t: TestContext): Promise<Prepared> {
  const prepared = await serveEnvironment(t);
  const { directory } = prepared;
  const [data, outside] = [join(directory, 'data'), join(directory, 'outside')];
  for (const path of [data, outside, `${data}-2`]) await mkdir(path);
  for (const path of [outside, `${data}-2`]) await writeFile(join(path, 'secret'), 'secret');
  await writeFile(join(outside, 'to-rename'), 'x');
  await writeFile(join(outside, 'module.cjs'), '');
  await writeFile(join(outside, 'child.cjs'), 'process.exit();');
  await writeFile(join(outside, 'module.mjs'), 'export const there = true;');
  for (const path of [data, outside]) await copyFile(NATIVE, join(path, 'native.node'));
  // An intruder's code must be where the process may read, or nothing would be tried.
  const policies = join(directory, 'policy');
  await cp(join(PROJECT, 'policy'), policies, { recursive: true });
  await copyFile(PROBE, join(policies, 'escapes.mts'));
  const seed = join(directory, 'seed.json');
  await writeFile(seed, JSON.stringify(DEMO_SEED));
  const listening = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  const onFile = createServer((socket) => socket.destroy()).listen(join(outside, 'socket'));
  t.after(() => {
    listening.close();
    onFile.close();
  });
  await new Promise((resolve) => onFile.once('listening', resolve));
  const { port } = listening.address() as { port: number };
  return {
    ...prepared,
    data,
    outside,
    environment: {
      ...prepared.environment,
      DATABASE_URL: `sqlite://${join(data, 'fleet.db')}`,
      SEED_FILE: seed,
      AUTH_TOKEN: 'a-token-of-the-environment',
      POLICY_DIR: policies,
      NODE_OPTIONS: `--import=${join(policies, 'escapes.mts')}`,
      ESCAPE_OUTSIDE: outside,
      ESCAPE_DATA: data,
      ESCAPE_PORT: String(port),
    },
  };
}

async function attempted(gateway: Spawned): Promise<Readonly<Record<string, string>>> {
  await gateway.said('"msg":"serving"');
  gateway.child.kill('SIGUSR2');
  await gateway.said('"outcomes"');
  const line = gateway
    .stdout()
    .split('\n')
    .find((text) => text.startsWith('{"outcomes"'));
  return (JSON.parse(line ?? '{}') as { outcomes: Record<string, string> }).outcomes;
}

describe('the serving process', () => {
  it('is refused every way out of its sandbox', async (t) => {
    const { environment, data, outside } = await prepare(t);
    const outcomes = await attempted(fluxgate(t, ['serve'], { environment }));
    assert.ok(Object.keys(outcomes).length > 45);
    const refusals: Readonly<Record<string, string>> = {
      'open any database': 'ERR_UNKNOWN_BUILTIN_MODULE',
      'find a token in the environment': 'GONE',
      'reach a prototype by __proto__': 'GONE',
    };
    for (const [name, outcome] of Object.entries(outcomes)) {
      assert.equal(outcome, refusals[name] ?? 'ERR_ACCESS_DENIED', name);
    }
    assert.deepEqual((await readdir(data)).sort(), [
      'fleet.db',
      'fleet.db-seal',
      'fleet.db-shm',
      'fleet.db-wal',
      'native.node',
    ]);
    assert.equal((await readdir(outside)).length, 7);
  });

  it('would find each of them open with SANDBOX=off', async (t) => {
    const { environment } = await prepare(t);
    const gateway = fluxgate(t, ['serve'], { environment: { ...environment, SANDBOX: 'off' } });
    const outcomes = await attempted(gateway);
    const shut = Object.entries(outcomes).filter(([, outcome]) => outcome !== 'done');
    assert.deepEqual(shut, [['find a token in the environment', 'GONE']]);
    assert.match(gateway.stdout(), /"level":"warn",[^\n]*"msg":"SANDBOX=off: /);
  });
});
