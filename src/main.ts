#!/usr/bin/env node
import { writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import {
  CommandFailed,
  type LastingCommandContext,
  type ServingProcess,
  type TerminalContext,
} from './cli/context.ts';
import { EXIT } from './cli/exit-codes.ts';
import { shown } from './cli/output/text.ts';
import { runServe } from './cli/server.ts';
import { StartupError } from './core/errors.ts';
import { type SupervisorMessage, WORKER_VARIABLE } from './core/workers/messages.ts';
import type { LogDestination } from './shell/log-destination.ts';

/** argv, streams, signals and exit codes: the only file that touches `process`. What there is to do is in `cli/command-table.ts`. */

const EXIT_GRACE_MS = 1_000;

const context: TerminalContext = {
  environment: process.env,
  workingDirectory: process.cwd(),
  terminal: {
    // A getter of Node's, which opens it: whoever does not read leaves it closed.
    get input() {
      return process.stdin;
    },
    output: process.stdout,
    errors: process.stderr,
  },
  arguments: process.argv.slice(2),
  invocation: invocation(),
  print: (line) => {
    process.stdout.write(`${line}\n`);
  },
  holdInterrupts() {
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore);
    return () => void process.off('SIGINT', ignore);
  },
};

/** As it was called: by npm, by its name, or by the path of this file. */
function invocation(): string {
  if (process.env['npm_lifecycle_event'] === 'fluxgate') return 'npm run -s fluxgate --';
  // bin/fluxgate says who it is by the title.
  return process.title === 'fluxgate' ? 'fluxgate' : `node ${relative(process.cwd(), process.argv[1] ?? '')}`;
}

const channel = workerChannel();
const servingProcess: ServingProcess = {
  pid: process.pid,
  cores: availableParallelism(),
  nodeOptions: process.execArgv,
  program: process.argv[1] ?? '',
  channel,
  permission: process.permission as ServingProcess['permission'],
  userId: process.getuid?.(),
  knowsOption: (name) => process.allowedNodeEnvironmentFlags.has(name),
  replace: process.execve === undefined ? undefined : replaceProcess,
  forget(variables) {
    for (const name of variables) delete process.env[name];
  },
  keepFilesPrivate: () => void process.umask(0o077),
};

function replaceProcess(options: readonly string[], environment: Readonly<Record<string, string>>): never {
  const argv = [process.execPath, ...process.execArgv, ...options, ...process.argv.slice(1)];
  process.execve?.(process.execPath, argv, { ...process.env, ...environment });
  throw new Error('a process that was replaced goes on');
}

/** undefined: no supervisor started this process. */
function workerChannel(): ServingProcess['channel'] {
  const send = process.send?.bind(process) as ((message: object) => boolean) | undefined;
  const place = /^(?<worker>\d+)\/(?<count>\d+)$/.exec(process.env[WORKER_VARIABLE] ?? '')?.groups;
  if (send === undefined || place === undefined) return undefined;
  return {
    worker: Number(place['worker']),
    count: Number(place['count']),
    // Once the channel is closed, this process is about to end.
    send: (message) => void (process.connected && send(message)),
    onMessage: (listener) => void process.on('message', (message) => listener(message as SupervisorMessage)),
  };
}

let endLog: (() => void) | undefined;

async function lasting(): Promise<LastingCommandContext> {
  let reload: (() => void) | undefined;
  let waiting = false;
  const hangUp = (): void => {
    if (reload === undefined) waiting = true;
    else reload();
  };
  let restart: (() => void) | undefined;
  process.on('SIGUSR2', () => restart?.());
  // What a terminal sends to all of its processes is for the supervisor to pass on.
  process.on('SIGHUP', channel === undefined ? hangUp : () => undefined);
  const stopSignal = new Promise<NodeJS.Signals>((resolve) => {
    process.on('SIGTERM', () => resolve('SIGTERM'));
    process.on('SIGINT', channel === undefined ? () => resolve('SIGINT') : () => undefined);
    channel?.onMessage(({ kind }) => {
      if (kind === 'stop') resolve('SIGTERM');
      if (kind === 'reload') hangUp();
    });
  });
  let opened: Promise<LogDestination> | undefined;
  let destination: LogDestination | undefined;
  const openDestination = async (): Promise<LogDestination> => {
    const { createLogDestination } = await import('./shell/log-destination.ts');
    destination = createLogDestination(1, channel !== undefined);
    endLog = () => destination?.end();
    return destination;
  };
  process.on('uncaughtExceptionMonitor', (error) => {
    const line = {
      level: 'fatal',
      time: new Date().toISOString(),
      err: error.stack ?? String(error),
      msg: 'a fault ends this process',
    };
    const text = `${JSON.stringify(line)}\n`;
    if (destination === undefined) writeSync(1, text);
    destination?.write(text);
    destination?.flushSync();
  });
  return {
    ...context,
    logDestination() {
      opened ??= openDestination();
      return opened;
    },
    host: servingProcess,
    stopSignal,
    onHangup(listener) {
      reload = listener;
      if (waiting) listener();
    },
    onRestart(listener) {
      restart = listener;
    },
  };
}

async function main(): Promise<number> {
  try {
    const host = { context, lasting };
    // Each start, and each process of it: there is nothing to parse, and what parses takes longer to load than all the rest of the first one.
    if (context.arguments.length === 1 && context.arguments[0] === 'serve') {
      void (await import('./shell/keep-tick-shape.ts')).keepTickShape(process.nextTick);
      await runServe(host);
    } else await (await import('./cli/program.ts')).runProgram(host, context.arguments);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof StartupError || error instanceof CommandFailed) {
      if (error.message !== '') {
        // What is indented belongs to the line above, and may be a command to copy.
        for (const line of error.message.split('\n')) {
          process.stderr.write(`${/^[ →]/.test(line) ? '' : 'fluxgate: '}${shown(line)}\n`);
        }
      }
      return error instanceof StartupError ? EXIT.refusedToStart : error.exitCode;
    }
    process.stderr.write(
      `fluxgate: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return EXIT.failed;
  }
}

// A reader that has seen enough (| head) is no fault; what it did not read was not delivered.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode || EXIT.failed);
  });
}

process.exitCode = await main();
// The loop is empty once the log is written, in its order; should anything hold it open, the process ends all the same.
endLog?.();
process.channel?.unref();
setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
