import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The project's root, with a slash at the end. */
export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

export interface SpawnOptions {
  /** The whole environment: nothing of ours is inherited but PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Beyond it the process is taken for hanging, and ended. */
  readonly patienceMs?: number;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Spawned {
  readonly child: ChildProcess;
  /** Everything said so far. */
  stdout(): string;
  /** Resolves once standard output holds the text; rejects if the process ends first. */
  said(text: string): Promise<void>;
  readonly ended: Promise<Ended>;
}

/** Longer than any start or stop on a busy machine; a test that waits this long has found a hang. */
const PATIENCE_MS = 30_000;

/** A process of its own, ended with the test. */
export function spawned(
  t: Pick<TestContext, 'after'>,
  [command = '', ...rest]: readonly string[],
  options: SpawnOptions = {},
): Spawned {
  const child = spawn(command, rest, {
    cwd: options.directory ?? PROJECT,
    env: { PATH: process.env['PATH'], ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const hang = setTimeout(() => child.kill('SIGKILL'), options.patienceMs ?? PATIENCE_MS);
  ended.then(
    () => clearTimeout(hang),
    () => clearTimeout(hang),
  );
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended.catch(() => undefined);
  });
  return {
    child,
    stdout: () => stdout,
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stdout.includes(text)) resolve();
        };
        child.stdout.on('data', look);
        look();
        ended.then(
          (end) => reject(new Error(`ended without saying ${JSON.stringify(text)}: ${JSON.stringify(end)}`)),
          reject,
        );
      }),
  };
}

/** The command line of this checkout, run by the Node that runs the tests. */
export function fluxgate(
  t: Pick<TestContext, 'after'>,
  command: readonly string[],
  options: SpawnOptions = {},
): Spawned {
  return spawned(t, [process.execPath, `${options.directory ?? PROJECT}/src/main.ts`, ...command], options);
}

/** Free a moment ago: for a process that must be told its port before it starts. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
