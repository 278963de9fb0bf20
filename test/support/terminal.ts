import { spawn, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import type { Ended } from './spawned.ts';

/** Why there is no pseudo-terminal here; false: there is one. For `skip`. */
export const NO_TERMINAL: string | false =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true
    ? false
    : 'there is no script(1) of util-linux on this machine';

export interface InTerminal {
  /** Everything on the screen so far, as it was written: with the sequences that move the cursor. */
  screen(): string;
  /** Resolves once the screen holds the text, after the place where the last wait ended. */
  shows(text: string | RegExp): Promise<void>;
  /** As keys: Enter is \r. */
  type(keys: string): void;
  readonly ended: Promise<Ended>;
}

export interface TerminalOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly rows?: number;
  readonly columns?: number;
}

const PATIENCE_MS = 30_000;
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** A command with a terminal of its own, as script(1) makes one: nothing of the environment is inherited but PATH. */
export function inTerminal(
  t: Pick<TestContext, 'after'>,
  command: readonly string[],
  { environment = {}, rows = 40, columns = 160 }: TerminalOptions = {},
): InTerminal {
  const line = `stty rows ${rows} cols ${columns}; exec ${command.map(quoted).join(' ')}`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], {
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', TERM: 'xterm-256color', ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let screen = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout: screen, stderr: '' }));
  });
  const hang = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended.catch(() => undefined);
  });
  ended.finally(() => clearTimeout(hang)).catch(() => undefined);
  return {
    screen: () => screen,
    ended,
    type: (keys) => void child.stdin.write(keys),
    shows: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const rest = screen.slice(seen);
          const at = typeof text === 'string' ? rest.indexOf(text) : rest.search(text);
          if (at === -1) return;
          seen += at + 1;
          child.stdout.off('data', look);
          resolve();
        };
        child.stdout.on('data', look);
        look();
        ended.then(() => reject(new Error(`ended without showing ${String(text)}:\n${screen}`)), reject);
      }),
  };
}
