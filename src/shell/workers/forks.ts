import cluster from 'node:cluster';
import type { WorkerProcess } from './supervisor.ts';

export interface ForkOptions {
  /** The file that each worker runs. */
  readonly exec: string;
  /** Its arguments, without Node's. */
  readonly args: readonly string[];
  /** Node's own. */
  readonly nodeOptions: readonly string[];
}

/**
 * Workers share one listening socket, which this process opens and never accepts from: docs/decisions/workers.md. Returns what starts one,
 * with `environment` besides this process's own.
 */
export function createForks({
  exec,
  args,
  nodeOptions,
}: ForkOptions): (environment: Readonly<Record<string, string>>) => WorkerProcess {
  // Round-robin would hand every connection through this process.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec, args: [...args], execArgv: [...nodeOptions], serialization: 'json' });
  return (environment) => {
    const worker = cluster.fork(environment);
    const { process: child } = worker;
    // Said to a process that is just ending.
    worker.on('error', () => undefined);
    return {
      pid: child.pid,
      send(message) {
        if (worker.isConnected()) worker.send(message);
      },
      onMessage: (listener) => void worker.on('message', listener),
      onExit: (listener) => void worker.on('exit', (code, signal) => listener(code, signal)),
      kill: () => void child.kill('SIGKILL'),
    };
  };
}
