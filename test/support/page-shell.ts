import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import type { Page } from './page.ts';

/** Why pages cannot be executed on this machine; undefined: they can. */
export function missingTools(): string | undefined {
  const missing = ['bash', 'curl', 'jq', 'openssl'].filter(
    (tool) => spawnSync(tool, ['--version']).error !== undefined,
  );
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

export interface PageOptions {
  readonly directory: string;
  /** The whole environment: nothing of ours is inherited but PATH. */
  readonly environment: Readonly<Record<string, string>>;
  readonly events?: Readonly<Record<string, () => Promise<void>>>;
  /** Commands before the page's own. */
  readonly setup?: string;
  /** What the page calls something, and what it is here: `{'localhost:8443': 'localhost:40123'}`. */
  readonly names?: Readonly<Record<string, string>>;
}

/** Longer than any command on a busy machine. */
const PATIENCE_MS = 60_000;

/** Executes a page from top to bottom in one shell. Each block must end with 0 and print what the page says. */
export async function executePage(page: Page, options: PageOptions): Promise<void> {
  const shell = spawn('bash', ['--noprofile', '--norc', '-euo', 'pipefail'], {
    cwd: options.directory,
    env: { PATH: process.env['PATH'] ?? '', ...options.environment },
  });
  const lasting: (() => Promise<void>)[] = [];
  const unused = new Set(Object.keys(options.events ?? {}));
  const here = (text: string): string =>
    Object.entries(options.names ?? {}).reduce((all, [name, value]) => all.replaceAll(name, value), text);
  try {
    await execute(shell, 'exec 2>&1');
    await execute(shell, options.setup ?? '');
    for (const step of page.steps) {
      if (step.kind === 'not-run') continue;
      if (step.kind === 'event' && step.name === 'Ctrl-C') {
        for (const end of lasting.splice(0)) await end();
      } else if (step.kind === 'event') {
        const event = options.events?.[step.name];
        assert.ok(event, `${page.path}: nobody plays "${step.name}"`);
        unused.delete(step.name);
        await event();
      } else if (step.kind === 'lasting') {
        lasting.push(await begin(here(step.text), step.until, options));
      } else {
        const { status, output } = await execute(shell, here(step.text));
        assert.equal(status, 0, `${page.path}: exit ${status}\n${step.text}\n${output}`);
        if (step.prints !== undefined) {
          assert.match(output, printedPattern(here(step.prints)), `${page.path}: ${step.text}`);
        }
      }
    }
    assert.deepEqual([...unused], [], `${page.path}: events that the page does not have`);
  } finally {
    shell.stdin.end();
    shell.kill();
    for (const end of lasting) await end();
  }
}

/** What lasts, in a shell of its own; resolves once it has said the text, with what ends it as Ctrl-C does. */
async function begin(commands: string, until: string, options: PageOptions): Promise<() => Promise<void>> {
  const child = spawn('bash', ['--noprofile', '--norc', '-euo', 'pipefail', '-c', commands], {
    cwd: options.directory,
    env: { PATH: process.env['PATH'] ?? '', ...options.environment },
    // A group of its own, as a terminal has: Ctrl-C reaches all of it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const patience = setTimeout(
      () => reject(new Error(`${commands} never said "${until}"\n${output}`)),
      PATIENCE_MS,
    );
    const read = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      if (!output.includes(until)) return;
      clearTimeout(patience);
      resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => {
      clearTimeout(patience);
      reject(new Error(`${commands} ended before it said "${until}"\n${output}`));
    });
  });
  return async () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    await ended;
  };
}

/** Resolves with 0, or with how the shell ended: it ends at the first command that fails. */
async function execute(
  shell: ChildProcessWithoutNullStreams,
  commands: string,
): Promise<{ readonly status: number; readonly output: string }> {
  const marker = `__done_${Math.random().toString(36).slice(2)}__`;
  return await new Promise((resolve, reject) => {
    let output = '';
    const patience = setTimeout(() => reject(new Error(`no end of:\n${commands}\n${output}`)), PATIENCE_MS);
    const settle = (status: number): void => {
      clearTimeout(patience);
      shell.stdout.off('data', read);
      shell.off('close', failed);
      resolve({ status, output: output.split(marker)[0] ?? '' });
    };
    const failed = (code: number | null): void => settle(code ?? 1);
    const read = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      if (output.includes(`${marker}\n`)) settle(0);
    };
    shell.stdout.on('data', read);
    shell.once('close', failed);
    shell.once('error', reject);
    // In braces, not in a subshell: what a block sets is there for the next; and no command reads what follows as its input.
    shell.stdin.write(`{\n:\n${commands}\n} < /dev/null\necho "${marker}"\n`);
  });
}

/** As the page says it: `…` is anything within a line, and a line of it alone any lines. */
export function printedPattern(prints: string): RegExp {
  const lines = prints
    .trimEnd()
    .split('\n')
    .map((line) =>
      line.trim() === '…'
        ? '(?:.*\\n)*?.*'
        : line
            .split('…')
            .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
            .join('.*'),
    );
  return new RegExp(`^${lines.join('\n')}\n*$`);
}
