import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LAUNCHER, startCommandLine } from '../support/command-line.ts';
import { spawned } from '../support/spawned.ts';

describe('edit without a terminal', () => {
  it('waits for no keys: it says what to use instead, or what became of the editor that is named', async (t) => {
    const line = await startCommandLine(t);
    const before = await line.gateway.fleet();
    const keyboard = join(line.directory, 'keyboard');
    await writeFile(keyboard, 'keys');
    const edit = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
      spawned(t, ['/bin/sh', '-c', `exec "$0" "$@" < '${keyboard}'`, LAUNCHER, ...words], {
        environment: { ...line.environment, TMPDIR: line.directory, ...more },
      }).ended;
    for (const [kind, id] of [
      ['cluster', 'demo-cluster-01'],
      ['component', 'podinfo'],
      ['namespace', 'podinfo'],
    ] as const) {
      const refused = await edit([kind, 'edit', id]);
      assert.deepEqual([refused.code, refused.stdout], [78, ''], refused.stderr);
      assert.equal(
        refused.stderr,
        `fluxgate: edit opens an editor, and $EDITOR names none that works without a terminal: fluxgate ${kind} patch ${id} --patch '{"FIELD": …}', or ${kind} get, and apply -f FILE\n`,
      );
    }
    const left = (await readdir(line.directory)).filter((name) => name.startsWith('fluxgate-edit-'));
    assert.deepEqual(left, []);

    const EDITOR = `sh -c 'test "$(cat)" = "" && exit 3'`;
    const keyless = await edit(['cluster', 'edit', 'demo-cluster-01'], { EDITOR });
    assert.equal(keyless.code, 1, keyless.stderr);
    assert.match(
      keyless.stderr,
      /ended with 3: nothing was written \(without a terminal: fluxgate cluster patch/,
    );
    assert.equal(await line.gateway.fleet(), before);
  });
});
