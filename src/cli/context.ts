import type { DestinationStream } from 'pino';
import type { Environment } from '../core/config-names.ts';
import type { Permission } from '../shell/sandbox.ts';

/** What a command may use of the process that it runs in. */
export interface CommandContext {
  readonly environment: Environment;
  readonly workingDirectory: string;
  readonly logDestination: DestinationStream;
  /** One line for people, on standard output. */
  print(line: string): void;
}

/** What a serving command may do to the process that it runs in. */
export interface ServingProcess {
  /** undefined: not under Node's permission model. */
  readonly permission: Permission | undefined;
  /** undefined where the system has no such numbers. */
  readonly userId: number | undefined;
  /** Whether this Node knows a command-line option. */
  knowsOption(name: string): boolean;
  /** Puts a Node with these options, besides its own, in the place of this one: same process, command and environment. undefined: it cannot. */
  readonly replace: ((options: readonly string[]) => never) | undefined;
  /** So that no report, dump or library finds them in the environment. */
  forget(variables: readonly string[]): void;
  /** What is written from now on is its user's alone. */
  keepFilesPrivate(): void;
}

/** For commands that last until they are told to stop. Signals count from before the command's modules are loaded. */
export interface LastingCommandContext extends CommandContext {
  readonly host: ServingProcess;
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
