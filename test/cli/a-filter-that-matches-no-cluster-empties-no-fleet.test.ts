import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LAUNCHER, startCommandLine } from '../support/command-line.ts';
import { spawned } from '../support/spawned.ts';
import { until } from '../support/until.ts';

it('fleet status says which filter matched none, and of how many', async (t) => {
  const line = await startCommandLine(t);
  const all = 'fluxgate fleet status has all';
  for (const [filters, says] of [
    [[], '3 shown, revision 1; the fleet: 3 never'],
    [['--environment', 'dev'], '1 shown, revision 1; the environment dev: 1 never'],
    [['-q', 'cluster-0'], '3 shown, revision 1; "cluster-0" in id, name or DNS name: 3 never'],
    [
      ['--environment', 'uat'],
      `no cluster has the environment uat: ${all}\n0 of 3 clusters shown, revision 1`,
    ],
    [
      ['--state', 'refused'],
      `no cluster has the state refused: ${all}\n0 shown, revision 1; the fleet: 3 never`,
    ],
    [
      ['--state', 'refused', '--environment', 'dev'],
      `no cluster has the environment dev and the state refused: ${all}\n0 shown, revision 1; the environment dev: 1 never`,
    ],
    [
      ['-q', 'no\u001b[2Jwhere'],
      `no cluster has "no\\u001b[2Jwhere" in id, name or DNS name: ${all}\n0 of 3 clusters shown, revision 1`,
    ],
  ] as const) {
    const status = await line.run(['fleet', 'status', ...filters]);
    assert.deepEqual([status.code, status.stderr], [0, `${says}\n`], filters.join(' '));
  }
});

it('fleet watch as well', async (t) => {
  const line = await startCommandLine(t);
  const watching = spawned(t, [LAUNCHER, 'fleet', 'watch', '--environment', 'uat'], {
    environment: line.environment,
  });
  let errors = '';
  watching.child.stderr?.on('data', (text: string) => {
    errors += text;
  });
  await until(() => errors.endsWith('\n'), 'a line of counts');
  watching.child.kill('SIGINT');
  assert.match((await watching.ended).stderr, /^0 of 3 clusters shown, revision 1$/m);
});

it('a fleet without clusters is said to have none, whatever it was asked for', async (t) => {
  const line = await startCommandLine(t, { environment: { SEED_FILE: undefined } });
  const status = async (...filters: string[]) => (await line.run(['fleet', 'status', ...filters])).stderr;
  assert.equal(await status(), 'the fleet has no cluster\n0 shown, revision 0; the fleet: no cluster\n');
  assert.match(await status('--environment', 'uat'), /^0 shown, .*: no cluster$/m);
});
