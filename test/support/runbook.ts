import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A runbook as what it is: commands, what they must print, and the moments at which somebody else does something. */
type Step =
  | { readonly kind: 'commands'; readonly text: string; readonly prints: string | undefined }
  | { readonly kind: 'event'; readonly name: string };

const RUNBOOKS = fileURLToPath(new URL('../../docs/runbooks/', import.meta.url));

/** `sh` blocks are commands, a `text` block behind one is its output (… stands for anything), `<!-- test: X -->` is an event. */
function readSteps(file: string): readonly Step[] {
  const text = readFileSync(`${RUNBOOKS}${file}`, 'utf8');
  const steps: Step[] = [];
  for (const match of text.matchAll(/```(sh|text)\n([\s\S]*?)```|<!-- test: (.+?) -->/g)) {
    const [, language, body = '', event] = match;
    const last = steps.at(-1);
    if (event !== undefined) steps.push({ kind: 'event', name: event });
    else if (language === 'sh') steps.push({ kind: 'commands', text: body, prints: undefined });
    else if (last?.kind === 'commands') steps[steps.length - 1] = { ...last, prints: body.trimEnd() };
    else throw new Error(`${file}: a text block without commands before it`);
  }
  if (!steps.some(({ kind }) => kind === 'commands')) throw new Error(`${file}: no commands`);
  return steps;
}

function setup(): string {
  const block = /```sh setup\n([\s\S]*?)```/.exec(readFileSync(`${RUNBOOKS}README.md`, 'utf8'))?.[1];
  if (block === undefined) throw new Error('README.md of the runbooks has no setup block');
  return block;
}

/** Why the runbooks cannot be executed on this machine; undefined: they can. */
export function missingTools(): string | undefined {
  const missing = ['bash', 'curl', 'jq', 'openssl'].filter(
    (tool) => spawnSync(tool, ['--version']).error !== undefined,
  );
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

export interface RunbookOptions {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly events: Readonly<Record<string, () => Promise<void>>>;
}

/** Executes a runbook from top to bottom in one shell. Each command must succeed and print what the runbook says. */
export async function executeRunbook(file: string, options: RunbookOptions): Promise<void> {
  const shell = spawn('bash', ['--noprofile', '--norc'], {
    cwd: options.directory,
    env: { PATH: process.env['PATH'] ?? '', ...options.environment },
  });
  const unused = new Set(Object.keys(options.events));
  try {
    await execute(shell, setup());
    for (const step of readSteps(file)) {
      if (step.kind === 'event') {
        const event = options.events[step.name];
        assert.ok(event, `${file}: nobody plays "${step.name}"`);
        unused.delete(step.name);
        await event();
        continue;
      }
      const { status, output } = await execute(shell, step.text);
      assert.equal(status, 0, `${file}: exit ${status}\n${step.text}\n${output}`);
      if (step.prints !== undefined) assert.match(output, pattern(step.prints), `${file}: ${step.text}`);
    }
    assert.deepEqual([...unused], [], `${file}: events that the runbook does not have`);
  } finally {
    shell.stdin.end();
    shell.kill();
  }
}

async function execute(
  shell: ChildProcessWithoutNullStreams,
  commands: string,
): Promise<{ readonly status: number; readonly output: string }> {
  const marker = `__done_${Math.random().toString(36).slice(2)}__`;
  return await new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      const end = new RegExp(`${marker} (\\d+)\\n`).exec(output);
      if (end === null) return;
      shell.stdout.off('data', read);
      shell.stderr.off('data', read);
      resolve({ status: Number(end[1]), output: output.slice(0, end.index) });
    };
    shell.stdout.on('data', read);
    shell.stderr.on('data', read);
    shell.once('error', reject);
    shell.stdin.write(`set -o pipefail\n${commands}\necho "${marker} $?"\n`);
  });
}

function pattern(prints: string): RegExp {
  const lines = prints.split('\n').map((line) =>
    line
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*'),
  );
  return new RegExp(`^${lines.join('\n')}\n?$`);
}
