import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { LAUNCHER } from '../support/command-line.ts';
import { PROJECT, spawned } from '../support/spawned.ts';

const missing = (shell: string): string | false =>
  spawnSync(shell, ['--version']).error === undefined ? false : `there is no ${shell} on this machine`;

/** What each line, ending where the cursor is, is completed with. */
const LINES: readonly (readonly [string, readonly string[]])[] = [
  ['fluxgate clu', ['cluster']],
  ['fluxgate component set-v', ['set-version']],
  ['fluxgate platform-component li', ['list']],
  ['fluxgate component assign x --environment ', ['dev', 'prod', 'qa', 'uat']],
  ['fluxgate cluster list -o j', ['json']],
  ['fluxgate --url https://x audit ver', ['verify']],
];

describe('completion', () => {
  it('offers commands, options and their values in bash', { skip: missing('bash') }, async (t) => {
    const asked = LINES.map(
      ([line]) =>
        `COMP_WORDS=(${line.endsWith(' ') ? `${line}""` : line}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); COMPREPLY=(); _fluxgate; echo "\${COMPREPLY[*]}"`,
    );
    const script = `source <('${LAUNCHER}' completion bash)\n${asked.join('\n')}`;
    const { stdout, stderr } = await spawned(t, ['bash', '-c', script]).ended;
    assert.equal(stderr, '');
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ').sort()),
      LINES.map(([, offers]) => [...offers]),
    );
  });

  it('is read by zsh', { skip: missing('zsh') }, async (t) => {
    const asked = LINES.map(
      ([line]) => `words=(${line.endsWith(' ') ? `${line}''` : line}); CURRENT=\${#words}; _fluxgate`,
    );
    // What zsh would filter by what was typed, it is asked for whole here.
    const script = `compdef() { :; }; compadd() { shift; echo "$*"; }; source <('${LAUNCHER}' completion zsh)\n${asked.join('\n')}`;
    const { stdout, stderr } = await spawned(t, ['zsh', '-fc', script]).ended;
    assert.equal(stderr, '');
    for (const [i, offered] of stdout.trimEnd().split('\n').entries()) {
      for (const offer of LINES[i]?.[1] ?? ['nothing'])
        assert.ok(offered.split(' ').includes(offer), `${LINES[i]?.[0]}: ${offered}`);
    }
  });

  it('is read by fish', { skip: missing('fish') }, async (t) => {
    const asked = LINES.map(
      ([line]) => `complete -C '${line}' | string match -r '^[^\\t]+' | sort | string join ' '`,
    );
    const script = `'${LAUNCHER}' completion fish | source\n${asked.join('\n')}`;
    const { stdout, stderr } = await spawned(t, ['fish', '-Nc', script]).ended;
    assert.equal(stderr, '');
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')),
      LINES.map(([, offers]) => [...offers]),
    );
  });
});

describe('the command line', () => {
  it('is found through links, says its version, and knows how it was called', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'fluxgate-link-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    await symlink(LAUNCHER, join(directory, 'one'));
    await symlink('one', join(directory, 'fluxgate'));
    const run = spawned(t, [join(directory, 'fluxgate'), '--version'], { directory });
    const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.deepEqual(await run.ended, { code: 0, signal: null, stdout: `fluxgate ${version}\n`, stderr: '' });
  });

  it('loads for serve nothing of a client, and for a client nothing of the gateway', () => {
    const reached = (entry: string): ReadonlySet<string> => {
      const files = new Set<string>();
      const visit = (path: string): void => {
        if (files.has(path)) return;
        files.add(path);
        const code = readFileSync(join(PROJECT, path), 'utf8');
        for (const [, name = ''] of code.matchAll(
          /^(?:import|export)(?! type)\b[^'";]*?from '(\.[^']+)'/gm,
        )) {
          visit(relative(PROJECT, join(PROJECT, dirname(path), name)));
        }
      };
      visit(entry);
      return files;
    };
    const serving = new Set([
      ...reached('src/main.ts'),
      ...reached('src/cli/serve.ts'),
      ...reached('src/cli/run-gateway.ts'),
    ]);
    assert.ok(serving.has('src/gateway.ts') && serving.has('src/cli/server.ts'));
    const client = /^src\/cli\/(api|objects|writes|trust|revisions|fleet|doctor)\//;
    assert.deepEqual(
      [...serving].filter((path) => client.test(path)),
      [],
    );
    const asking = new Set([
      ...reached('src/main.ts'),
      ...reached('src/cli/objects.ts'),
      ...reached('src/cli/objects/read.ts'),
      ...reached('src/cli/objects/write.ts'),
      ...reached('src/cli/fleet/status.ts'),
    ]);
    assert.ok(asking.has('src/cli/api/session.ts'));
    assert.deepEqual(
      [...asking].filter((path) => /^src\/(shell|gateway)/.test(path) && path !== 'src/shell/clock.ts'),
      [],
    );
  });
});
