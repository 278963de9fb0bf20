import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

test('export, look at the plan, import with its hash; no certificate, no import', async (t) => {
  const gateway = await startTestGateway(t);
  const dir = join(gateway.directory, 'fleet');
  const ca = join(gateway.directory, 'ca.pem');
  await writeFile(ca, gateway.serverCaPem);
  const run = async (
    args: string[],
    environment: Record<string, string> = { API_TOKEN: WRITE_TOKEN },
  ): Promise<{ code: number; out: string; err: string }> => {
    const env = { API_URL: `https://localhost:${gateway.port}`, API_CA_FILE: ca, ...environment };
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    return { code: code as number, out, err };
  };
  const exported = await run(['export', '--dir', dir]);
  assert.deepEqual([exported.code, exported.err], [0, '']);
  const cluster = join(dir, 'clusters', 'demo-cluster-01.yaml');
  assert.match(await readFile(cluster, 'utf8'), /^id: demo-cluster-01\n/);
  const before = await gateway.fleet();

  const whole = await readFile(cluster, 'utf8');
  await writeFile(cluster, `${whole}labels:\n  example.com/~team: 1\n`);
  await writeFile(join(dir, 'clusters', 'not-one.yaml'), '[]\n');
  const wrong = await run(['import', '--dir', dir, '--mode', 'merge']);
  assert.equal(wrong.code, 8);
  assert.match(
    wrong.err,
    /^ {2}clusters\/demo-cluster-01\.yaml: \/labels\/"example\.com\/~team": must be a string$/m,
  );
  assert.match(wrong.err, /^ {2}clusters\/not-one\.yaml: must be an object$/m);
  await rm(join(dir, 'clusters', 'not-one.yaml'));

  await rm(cluster);
  const authoritative = ['import', '--dir', dir, '--mode', 'authoritative'];
  for (const planned of [
    ['plan', ...authoritative],
    [...authoritative, '--dry-run'],
  ]) {
    const plan = await run(planned);
    assert.deepEqual([plan.code, plan.err], [0, ''], 'the plan is what was asked for');
    assert.match(plan.out, /deleted cluster demo-cluster-01/);
  }
  const shown = await run(authoritative);
  assert.equal(shown.code, 6, 'there is a plan, and it was not carried out');
  assert.match(shown.out, /deleted cluster demo-cluster-01/);
  assert.match(shown.err, /^fluxgate: nothing was written; to carry it out:$/m);
  const hash = /--yes --plan-hash ([0-9a-f]{64})$/m.exec(shown.err)?.[1] ?? '';
  const programs = await run([...authoritative, '-o', 'json']);
  assert.equal((JSON.parse(programs.out) as { plan_hash: string }).plan_hash, hash);
  const unconfirmed = await run([...authoritative, '--yes']);
  assert.equal(unconfirmed.code, 6);
  assert.match(unconfirmed.err, /prune_guard[\s\S]*--yes --plan-hash [0-9a-f]{64}/);
  assert.doesNotMatch(unconfirmed.err, /Confirm-Plan/, 'the flag, not the header');
  assert.equal(await gateway.fleet(), before);
  const done = await run([...authoritative, '--yes', '--plan-hash', hash, '--reason', 'gone']);
  assert.deepEqual([done.code, done.err], [0, '']);
  assert.match(done.out, /imported as revision 2/);
  const same = await run(['import', '--dir', dir, '--mode', 'merge']);
  assert.deepEqual([same.code, same.out], [0, 'nothing was different\n'], 'there is no plan to carry out');

  await rm(dir, { recursive: true });
  const absent = await run([...authoritative, '--yes']);
  assert.deepEqual([absent.code, /there is no such directory/.test(absent.err)], [78, true]);
  await mkdir(dir);
  const empty = await run([...authoritative, '--yes']);
  assert.match(empty.err, /an empty directory changes nothing/);
  assert.match((await run(['export', '--dir', dir], {})).err, /show who you are/);
  const stranger = { API_TOKEN: WRITE_TOKEN, API_CA_FILE: '/dev/null' };
  assert.equal(
    (await run(['export', '--dir', dir], stranger)).code,
    78,
    'an unverified server gets no token',
  );
});
