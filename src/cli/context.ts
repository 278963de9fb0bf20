import type { DestinationStream } from 'pino';
import type { Environment } from '../core/config-names.ts';
import type { Permission } from '../shell/sandbox.ts';
import type { WorkerChannel } from '../shell/workers/siblings.ts';

/** The streams of the process, as far as a command asks about them: `isTTY` is set where one is a terminal. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly errors: NodeJS.WriteStream;
}

/** What a command may use of the process that it runs in. */
export interface CommandContext {
  readonly environment: Environment;
  readonly workingDirectory: string;
  /** One line for people, on standard output. */
  print(line: string): void;
}

/** For commands that talk with somebody. */
export interface TerminalContext extends CommandContext {
  readonly terminal: Terminal;
  /** What was asked for, after the name of the command line. */
  readonly arguments: readonly string[];
  /** How the user calls the command line, for commands that are shown to them. */
  readonly invocation: string;
  /** While an editor or a pager has the terminal, Ctrl-C is theirs. Returns how to end that. */
  holdInterrupts(): () => void;
}

/** What a serving command may do to the process that it runs in. */
export interface ServingProcess {
  readonly pid: number;
  /** That this process may use. */
  readonly cores: number;
  /** Node's own, as this process was started with. */
  readonly nodeOptions: readonly string[];
  /** The file that Node runs. */
  readonly program: string;
  /** undefined: this process is no worker of a supervisor. */
  readonly channel: WorkerChannel | undefined;
  /** undefined: not under Node's permission model. */
  readonly permission: Permission | undefined;
  /** undefined where the system has no such numbers. */
  readonly userId: number | undefined;
  /** Whether this Node knows a command-line option. */
  knowsOption(name: string): boolean;
  /**
   * Puts a Node with these options, besides its own, in the place of this one: same process and command; its environment with these
   * variables besides. undefined: it cannot.
   */
  readonly replace:
    | ((options: readonly string[], environment: Readonly<Record<string, string>>) => never)
    | undefined;
  /** So that no report, dump or library finds them in the environment. */
  forget(variables: readonly string[]): void;
  /** What is written from now on is its user's alone. */
  keepFilesPrivate(): void;
}

/** For commands that last until they are told to stop. Signals count from before the command's modules are loaded. */
export interface LastingCommandContext extends CommandContext {
  readonly arguments: readonly string[];
  /** Loaded when it is asked for: a process that is about to be replaced needs none. */
  logDestination(): Promise<DestinationStream>;
  readonly host: ServingProcess;
  /** SIGTERM and SIGINT do not end the process but resolve this. */
  readonly stopSignal: Promise<NodeJS.Signals>;
  /** SIGHUP does not end the process but calls this; one that came earlier calls it now. */
  onHangup(reload: () => void): void;
  /** SIGUSR2 calls this. */
  onRestart(restart: () => void): void;
}

/** What the process offers to whoever registers commands. */
export interface CommandHost {
  readonly context: TerminalContext;
  /** To be called before anything that takes time: from then on signals are heeded. */
  lasting(): Promise<LastingCommandContext>;
}

/** The command ran, and its answer is no: its lines on standard error (none where it is empty), and an exit code of `exit-codes.ts`. */
export class CommandFailed extends Error {
  readonly exitCode: number;

  constructor(message: string, cause?: unknown, exitCode = 1) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CommandFailed';
    this.exitCode = exitCode;
  }
}
