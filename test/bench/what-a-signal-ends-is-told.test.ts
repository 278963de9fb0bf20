import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { PROJECT, spawned } from '../support/spawned.ts';
import { until } from '../support/until.ts';

it('a bench that a signal ends says during what', async (t) => {
  const bench = spawned(
    t,
    [process.execPath, join(PROJECT, 'bench', 'bench.ts'), '--tiny', '--only', 'start,handshake'],
    { patienceMs: 100_000 },
  );
  let told = '';
  bench.child.stderr?.on('data', (text: string) => {
    told += text;
  });
  await until(() => told.includes('— handshake'), 'the second measurement', 60_000);
  bench.child.kill('SIGINT');
  const { code, stdout } = await bench.ended;
  assert.equal(code, 130);
  assert.match(
    stdout,
    /^Ended by a signal during "handshake": that and what follows it was not measured\.$/m,
  );
  assert.match(stdout, /^start to ready/m);
});
