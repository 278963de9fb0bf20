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

  it('tells a slip with one line of usage and where to read on, so that what is wrong stays in sight', async (t) => {
    const { stderr } = await fluxgate(t, ['cluster', 'list', '--enviroment', 'prod']).ended;
    assert.deepEqual(stderr.trimEnd().split('\n'), [
      "error: unknown option '--enviroment'",
      '(Did you mean --environment?)',
      '',
      'Usage: fluxgate cluster list [options]',
      "'fluxgate cluster list --help' says what it takes.",
    ]);
  });

  it('says of a misspelt option that it is unknown, and not that the one that was meant is missing', async (t) => {
    for (const [command, given, meant] of [
      [['export', '--dri', 'x'], '--dri', '--dir'],
      [['import', '--dir', 'x', '--moed', 'merge'], '--moed', '--mode'],
      [['token', 'create', 'x', '--knid', 'operator'], '--knid', '--kind'],
      [['cluster', 'apply', '--filname', 'x'], '--filname', '--filename'],
    ] as const) {
      const { code, stdout, stderr } = await fluxgate(t, command).ended;
      assert.deepEqual([code, stdout], [2, ''], given);
      assert.deepEqual(stderr.split('\n').slice(0, 2), [
        `error: unknown option '${given}'`,
        `(Did you mean ${meant}?)`,
      ]);
    }
  });

  it('says which option is missing where none is misspelt', async (t) => {
    for (const command of [['export'], ['export', '--', '--dri']]) {
      const { code, stderr } = await fluxgate(t, command).ended;
      assert.equal(code, 2);
      assert.match(stderr, /^error: required option '--dir <directory>' not specified$/m);
    }
  });

  it('exits 0 with its usage when asked for it', async (t) => {
    const { code, stdout, stderr } = await fluxgate(t, ['--help']).ended;
    assert.deepEqual([code, stderr], [0, '']);
    for (const command of ['serve', 'healthcheck', 'dev', 'demo', 'certs-dev']) {
      assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'));
    }
  });

  it('exits 2 for an option that is given twice, rather than forget the first; unless its help says that it may be', async (t) => {
    const unassign = ['component', 'unassign', 'x'];
    for (const twice of [
      ['--environment', 'dev', '--environment', 'prod'],
      ['--yes', '--reason', 'a', '--reason=b'],
    ]) {
      const { code, stderr } = await fluxgate(t, [...unassign, ...twice]).ended;
      assert.equal(code, 2, twice.join(' '));
      assert.match(stderr, /^error: option '--(environment|reason) <\w+>' was given twice$/m);
    }
    const { stderr } = await fluxgate(t, [...unassign, '--cluster', 'a', '--cluster', 'b']).ended;
    assert.match(stderr, /say which gateway/);
  });
});
