import type { DestinationStream } from 'pino';
import type { Environment } from '../core/config.ts';

/** What a command may use of the process that it runs in. */
export interface CommandContext {
  readonly environment: Environment;
  readonly workingDirectory: string;
  readonly logDestination: DestinationStream;
  /** One line for people, on standard output. */
  print(line: string): void;
}

/** For commands that last until they are told to stop. Signals count from before the command's modules are loaded. */
export interface LastingCommandContext extends CommandContext {
  /** SIGTERM and SIGINT do not end the process but resolve this. */
  readonly stopSignal: Promise<NodeJS.Signals>;
  /** SIGHUP does not end the process but calls this; one that came earlier calls it now. */
  onHangup(reload: () => void): void;
}

/** The command ran, and its answer is no: one line on standard error, exit code 1. */
export class CommandFailed extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CommandFailed';
  }
}
