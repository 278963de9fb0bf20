import { type ChildProcess, type ForkOptions, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Processes that are measured from outside, by what the operating system says of them: proc(5), or ps(1) where that is not. */

export interface Usage {
  /** User and system, since it began. */
  readonly cpuMs: number;
  readonly residentMiB: number;
  /** The most that it ever had resident; undefined: the system does not say. */
  readonly peakMiB: number | undefined;
}

export interface Measured {
  readonly pid: number;
  /** Of the process and all below it, together. */
  usage(): Usage;
  /** The same for each of them, by its number. */
  each(): ReadonlyMap<number, Usage>;
  /** From here on these cores only; undefined, or no taskset(1): any. */
  pin(cores: readonly number[] | undefined): void;
  /** Takes no core until it goes on. */
  pause(): void;
  goOn(): void;
  /** In order, unless it is killed. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Before this process, and what it starts, is bound to some of them. */
const CORES: readonly number[] = Array.from({ length: availableParallelism() }, (_, core) => core);
const HAS_PROC = existsSync('/proc/self/stat');
const CAN_PIN = spawnSync('taskset', ['-p', String(process.pid)]).status === 0;
/** Longer than a drain may take. */
const STOP_TIMEOUT_MS = 20_000;

/**
 * The cores of `processes` servers, and those of the load: apart, where there are enough of them and they can be told apart.
 */
export function shareCores(processes: number): {
  readonly server: readonly number[] | undefined;
  readonly load: readonly number[] | undefined;
} {
  if (!CAN_PIN || CORES.length <= processes) return { server: undefined, load: undefined };
  return { server: CORES.slice(0, processes), load: CORES.slice(processes) };
}

export function pinTo(pid: number, cores: readonly number[] | undefined): void {
  if (!CAN_PIN) return;
  spawnSync('taskset', ['-a', '-c', '-p', (cores ?? CORES).join(','), String(pid)]);
}

export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** A file descriptor for its standard output; undefined: nobody reads it. */
  readonly output?: number;
  readonly errors?: 'ignore' | 'inherit';
}

/** Also those that are only starting: none is left behind. */
const alive = new Set<ChildProcess>();

export async function stopAll(): Promise<void> {
  await Promise.all([...alive].map((child) => measured(child).stop()));
}

/** It may use all cores while it starts, whatever this process is bound to. */
export function start([command = '', ...rest]: readonly string[], options: StartOptions = {}): ChildProcess {
  const child = spawn(command, rest, {
    env: { PATH: process.env['PATH'], ...options.environment },
    stdio: ['ignore', options.output ?? 'ignore', options.errors ?? 'inherit'],
  });
  if (child.pid !== undefined) {
    pinTo(child.pid, undefined);
    alive.add(child);
    child.once('exit', () => alive.delete(child));
  }
  return child;
}

export function measured(child: ChildProcess): Measured {
  const { pid } = child;
  if (pid === undefined) throw new Error('the process did not start');
  return {
    pid,
    usage: () => sum([...usagesOf(pid).values()]),
    each: () => usagesOf(pid),
    pin: (cores) => {
      for (const one of usagesOf(pid).keys()) pinTo(one, cores);
    },
    pause: () => void child.kill('SIGSTOP'),
    goOn: () => void child.kill('SIGCONT'),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function sum(usages: readonly Usage[]): Usage {
  const peaks = usages.map(({ peakMiB }) => peakMiB);
  return {
    cpuMs: usages.reduce((all, { cpuMs }) => all + cpuMs, 0),
    residentMiB: usages.reduce((all, { residentMiB }) => all + residentMiB, 0),
    peakMiB: peaks.reduce(
      (all, peak) => (all === undefined || peak === undefined ? undefined : all + peak),
      0,
    ),
  };
}

function usagesOf(root: number): ReadonlyMap<number, Usage> {
  if (HAS_PROC) return new Map(familyOf(root).map((pid) => [pid, procUsage(pid)]));
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,time=,rss='], { encoding: 'utf8' });
  return familyInPs(stdout, root);
}

function familyOf(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
}

function procUsage(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1_024;
  return { cpuMs: procCpuMs(pid), residentMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
}

/** The first figure of schedstat is nanoseconds on a core, of each thread that lives; utime and stime of stat are hundredths of a second. */
function procCpuMs(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((all, thread) => {
      const [onCore = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
      return all + Number(onCore) / 1e6;
    }, 0);
  } catch {
    // A kernel without scheduler statistics. The name in brackets may hold anything, spaces too.
    const [, afterName = ''] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const fields = afterName.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
}

/** `text`: lines of process, parent, [[days-]hours:]minutes:seconds[.hundredths], KiB resident. */
export function familyInPs(text: string, root: number): ReadonlyMap<number, Usage> {
  const all = text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells.length === 4)
    .map(([pid = '', parent = '', time = '', rss = '']) => ({
      pid: Number(pid),
      parent: Number(parent),
      usage: { cpuMs: psTimeMs(time), residentMiB: Number(rss) / 1_024, peakMiB: undefined },
    }));
  const found = new Map<number, Usage>();
  const take = (pid: number): void => {
    for (const one of all) {
      if (one.pid === pid) found.set(pid, one.usage);
      else if (one.parent === pid) take(one.pid);
    }
  };
  take(root);
  return found;
}

function psTimeMs(time: string): number {
  const [days, clock] = time.includes('-') ? time.split('-') : ['0', time];
  const seconds = (clock ?? '').split(':').reduce((all, part) => all * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1_000;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Runs a module of ours to its end. Throws where that is not 0. */
export async function finished(module: URL, args: readonly string[]): Promise<void> {
  const [code] = await once(start([process.execPath, fileURLToPath(module), ...args]), 'exit');
  if (code !== 0) throw new Error(`${module.pathname} ended with ${code}`);
}

/** A module of ours in a process of its own, which answers each message with one. */
export interface Worker<Asked extends object, Told> {
  ask(asked: Asked): Promise<Told>;
  stop(): void;
}

export function worker<Asked extends object, Told>(
  module: URL,
  cores: readonly number[] | undefined,
): Worker<Asked, Told> {
  const options: ForkOptions = { execPath: process.execPath, execArgv: [], serialization: 'advanced' };
  const child = fork(module, [], options);
  if (cores !== undefined && child.pid !== undefined) pinTo(child.pid, cores);
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the process of the load ended')));
  ended.catch(() => undefined);
  return {
    async ask(asked) {
      child.send(asked);
      const [told] = await Promise.race([once(child, 'message'), ended]);
      return told as Told;
    },
    stop: () => void child.kill(),
  };
}
