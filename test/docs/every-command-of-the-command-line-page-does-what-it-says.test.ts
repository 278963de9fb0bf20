import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { PROJECT, spawned } from '../support/spawned.ts';
import { readPage, runBlocks } from './page-blocks.ts';

const PAGE = readPage('docs/cli.md');
/** The other half is in a file of its own, so that both run at once. */
const [FIRST_HALF = ''] = PAGE.split('\n## The fleet in Git');

describe('docs/cli.md', () => {
  it('has blocks that run as they stand, in their order, up to revisions', async (t) => {
    await runBlocks(t, FIRST_HALF);
  });

  it('lists the exit codes, each once', () => {
    const [, section = ''] = PAGE.split('\n## Exit codes');
    const documented = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (\d+) \|/gm)].map(([, code]) =>
      Number(code),
    );
    assert.deepEqual(documented, Object.values(EXIT));
  });

  it('names every command that there is', async (t) => {
    const { stdout } = await spawned(t, [join(PROJECT, 'bin/fluxgate'), 'completion', 'fish']).ended;
    const missing = [...stdout.matchAll(/= ([\w.-]+)' -f -a ([\w-]+) /g)]
      .map(([, place = '', word = '']) => (place === '.' ? word : `${place.replaceAll('.', ' ')} ${word}`))
      // An alias, and what is written once for four kinds.
      .filter(
        (command) =>
          !/^(clusters|components|platform-components?|namespaces|rolebindings|revisions|tokens|contexts) /.test(
            command,
          ),
      )
      .filter(
        (command) =>
          !/^(component|namespace|rolebinding) (apply|edit|patch|delete|get|list|unassign)$/.test(command),
      )
      .filter(
        (command) =>
          !PAGE.includes(
            command.startsWith('cluster ')
              ? (command.split(' ')[1] ?? '')
              : command.replace(/^(dev|demo|healthcheck|restore|serve)$/, '`$1`'),
          ),
      );
    assert.deepEqual(missing, []);
  });
});
