import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fluxgate } from '../support/spawned.ts';

describe('the command line', () => {
  it('exits 2 with its usage for what it does not know', async (t) => {
    for (const command of [[], ['sevre'], ['serve', 'now'], ['certs-dev', '--clutser', 'x']]) {
      const { code, stdout, stderr } = await fluxgate(t, command).ended;
      assert.deepEqual([code, stdout], [2, ''], command.join(' '));
      assert.match(stderr, /^Usage: fluxgate /m);
    }
  });

  it('exits 0 with its usage when asked for it', async (t) => {
    const { code, stdout, stderr } = await fluxgate(t, ['--help']).ended;
    assert.deepEqual([code, stderr], [0, '']);
    for (const command of ['serve', 'healthcheck', 'dev', 'demo', 'certs-dev']) {
      assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'));
    }
  });
});
