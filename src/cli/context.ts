import type { DestinationStream } from 'pino';
import type { Environment } from '../core/config.ts';

/** What a command may use of the process that it runs in. */
export interface CommandContext {
  readonly environment: Environment;
  readonly logDestination: DestinationStream;
  /** One line for people, on standard output. */
  print(line: string): void;
  /** From the call on, SIGTERM and SIGINT no longer end the process but resolve this. */
  stopSignal(): Promise<NodeJS.Signals>;
  /** From the call on, SIGHUP does not end the process but calls this. */
  onHangup(reload: () => void): void;
}
