import type { Log } from './log.ts';

/** How soon a change made through another process that shares the store is in force here: a second is promised. */
const POLL_INTERVAL_MS = 500;

export interface VersionPoll {
  /** Looks at once. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

export interface VersionPollParts {
  /** What is looked for, in the log. */
  readonly what: string;
  readonly log: Log;
  /** Of the store's state. */
  version(): Promise<number>;
  /** Of what is in force here. */
  current(): number;
  /** Puts the store's state in force; false: one that is as new, or newer, is already. */
  apply(): Promise<boolean>;
}

/** Other processes may share the store: what they change is noticed by its version. */
export function startVersionPoll({ what, log, version, current, apply }: VersionPollParts): VersionPoll {
  let looking: Promise<void> | undefined;
  let failing = false;
  const lookOnce = async (): Promise<void> => {
    try {
      const stored = await version();
      failing = false;
      if (stored <= current()) return;
      if (!(await apply())) return;
      log.warn({ version: stored }, `${what} changed by another process are in force`);
    } catch (error) {
      // What is in force stays so; /ready tells of a store that cannot be read.
      if (!failing) log.error({ err: error }, `${what} cannot be read; those known stay in force`);
      failing = true;
    }
  };
  const look = (): Promise<void> => {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const timer = setInterval(() => void look(), POLL_INTERVAL_MS);
  timer.unref();
  return {
    look,
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
