import type { Config } from '../core/config.ts';
import { StartupError } from '../core/errors.ts';
import { WORKER_VARIABLE } from '../core/workers/messages.ts';
import type { Log } from '../shell/log.ts';
import { grantsOf } from '../shell/sandbox.ts';
import { parseDatabaseUrl } from '../shell/store/database-url.ts';
import { CommandFailed, type LastingCommandContext, type ServingProcess } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { optionsOf, refuseRoot, servingVariables } from './sandbox.ts';

/** How many processes are to serve. Throws StartupError where they could not share what they serve from. */
export function workersOf({ workers, databaseUrl }: Config, { cores }: ServingProcess): number {
  const { memory } = parseDatabaseUrl(databaseUrl);
  if (workers === 'auto') return memory ? 1 : cores;
  if (workers > 1 && memory) {
    throw new StartupError(
      'WORKERS: processes cannot share a store in memory: set WORKERS=1, or name a file',
    );
  }
  return workers;
}

export interface SuperviseOptions {
  /** Directories that a start reads besides what the configuration names. */
  readonly readToo?: readonly string[];
  started?(): void;
}

/** Serves by worker processes until SIGTERM or SIGINT. This one starts them, outside the sandbox that they are in, and reads nothing of any peer. */
export async function supervise(
  context: LastingCommandContext,
  config: Config,
  log: Log,
  count: number,
  { readToo = [], started }: SuperviseOptions = {},
): Promise<void> {
  const { host, workingDirectory, stopSignal } = context;
  refuseRoot(host, config);
  if (host.permission !== undefined) {
    throw new StartupError(
      'SANDBOX: the process that starts the workers has none itself: look for --permission in NODE_OPTIONS',
    );
  }
  host.keepFilesPrivate();
  const grants = config.sandbox ? grantsOf(config, workingDirectory, readToo) : undefined;
  const sandbox = grants === undefined ? [] : optionsOf(host, config, grants, context.environment);
  const { createForks } = await import('../shell/workers/forks.ts');
  const { createSupervisor } = await import('../shell/workers/supervisor.ts');
  const fork = createForks({
    exec: host.program,
    args: context.arguments,
    nodeOptions: [...host.nodeOptions, ...sandbox],
  });
  const supervisor = createSupervisor({
    count,
    log,
    start: (worker) =>
      fork({
        [WORKER_VARIABLE]: `${worker}/${count}`,
        ...servingVariables(context.environment),
      }),
  });
  const outcome = await Promise.race([supervisor.start(), stopSignal]);
  // It has said itself why.
  if (typeof outcome === 'number')
    throw new CommandFailed('', undefined, outcome === 0 ? EXIT.failed : outcome);
  if (outcome === undefined) {
    log.info({ pid: host.pid, workers: count }, 'every worker was started: signals are for this process');
    started?.();
    context.onHangup(() => supervisor.reload());
    context.onRestart(() => void supervisor.restart());
  }
  log.info({ signal: await stopSignal, workers: count }, 'asked to stop: every worker drains');
  if (!(await supervisor.stop())) throw new CommandFailed('a worker did not end in order');
}
