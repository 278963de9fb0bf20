import { type ChildProcess, type ForkOptions, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Processes that are measured from outside, by what the operating system says of them (Linux: proc(5)). */

export interface Measured {
  readonly pid: number;
  /** Of the process, its threads and its children, since they began. */
  cpuMs(): number;
  residentMiB(): number;
  stop(): Promise<void>;
}

/** `core`: the only one that it runs on; undefined: any. */
export function pinned(command: readonly string[], core: number | undefined): readonly string[] {
  return core === undefined ? command : ['taskset', '-c', String(core), ...command];
}

export function start(
  [command = '', ...rest]: readonly string[],
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  return spawn(command, rest, {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

export function measured(child: ChildProcess): Measured {
  const { pid } = child;
  if (pid === undefined) throw new Error('the process did not start');
  return {
    pid,
    cpuMs: () => family(pid).reduce((sum, one) => sum + cpuMsOf(one), 0),
    residentMiB: () => family(pid).reduce((sum, one) => sum + residentMiBOf(one), 0),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

function family(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}

/** The first figure of schedstat: nanoseconds on a core, user and system. */
function cpuMsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [onCore = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    return sum + Number(onCore) / 1e6;
  }, 0);
}

function residentMiBOf(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A module of ours in a process of its own, which answers each message with one. */
export function worker<Asked extends object, Told>(
  module: URL,
  core: number | undefined,
): { ask(asked: Asked): Promise<Told>; stop(): void } {
  const [execPath = '', ...execArgv] = pinned([process.execPath], core);
  const options: ForkOptions = { execPath, execArgv, serialization: 'advanced' };
  const child = fork(module, [], options);
  return {
    async ask(asked) {
      child.send(asked);
      const [told] = await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(() => Promise.reject(new Error('the worker ended'))),
      ]);
      return told as Told;
    },
    stop: () => void child.kill(),
  };
}
