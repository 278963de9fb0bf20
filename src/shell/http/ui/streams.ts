import type { ServerResponse } from 'node:http';
import { FluxgateError } from '../../../core/errors.ts';
import { PAGE_LIMITS } from '../../../core/page-limits.ts';
import type { Clock } from '../../clock.ts';
import type { LiveTrust } from '../../live-trust.ts';
import type { Siblings } from '../../workers/siblings.ts';
import { Live } from '../respond.ts';

/**
 * Pages that are told when something has changed: server-sent events, each no more than the word. What has changed is asked for by the
 * page itself, as whoever looks at it. Bounded in number, and each ends once whoever listens may not any more.
 */
export interface Streams {
  readonly size: number;
  /** Throws `rate_limited` when there are too many. `stillAdmitted` rejects once whoever listens has lost the right. */
  open(principal: string, stillAdmitted: () => Promise<void>): Live;
  /** A request was answered: what pages show of polls and refusals may have changed. */
  noteRequest(): void;
  /** Somebody signed out: whoever listens is judged again. */
  noteSignOut(): void;
  /** Ends all of them, and opens no more. */
  close(): void;
}

export interface StreamsParts {
  readonly clock: Clock;
  readonly siblings: Siblings;
  readonly trust: Pick<LiveTrust, 'snapshot'>;
  /** The number of the newest revision of the fleet. */
  revision(): Promise<number>;
}

interface Stream {
  readonly principal: string;
  readonly stillAdmitted: () => Promise<void>;
  readonly response: ServerResponse;
  /** What the last judgement was made under. */
  judgedUnder: string;
  judgedMs: number;
  toldMs: number;
  told: string;
  requests: number;
}

export function createStreams({ clock, siblings, trust, revision }: StreamsParts): Streams {
  const open = new Set<Stream>();
  let requests = 0;
  let signOuts = 0;
  let closed = false;
  let newest = 0;
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** Requests that other workers are to be told of. */
  let untold = 0;
  siblings.gather('requests', () => {
    const items = untold === 0 ? [] : [untold];
    untold = 0;
    return items;
  });
  siblings.onShared<number>('requests', ([more = 0]) => {
    requests += more;
  });

  const count = (principal: string): number =>
    [...open].filter((stream) => stream.principal === principal).length;
  const isFull = (principal: string): boolean =>
    closed || open.size >= PAGE_LIMITS.streamsMax || count(principal) >= PAGE_LIMITS.streamsPerPrincipalMax;
  const end = (stream: Stream): void => {
    open.delete(stream);
    stream.response.end();
    if (open.size === 0) clearInterval(timer);
  };

  const judge = async (stream: Stream): Promise<boolean> => {
    const now = clock.elapsed();
    const under = `${trust.snapshot.generation}.${signOuts}`;
    if (under === stream.judgedUnder && now - stream.judgedMs < PAGE_LIMITS.streamJudgeMs) return true;
    stream.judgedUnder = under;
    stream.judgedMs = now;
    try {
      await stream.stillAdmitted();
      return true;
    } catch {
      end(stream);
      return false;
    }
  };
  const tell = (stream: Stream): void => {
    const now = clock.elapsed();
    const state = `${newest}.${trust.snapshot.generation}`;
    const polled = stream.requests !== requests && now - stream.toldMs >= PAGE_LIMITS.streamPollsMs;
    const text = state !== stream.told || polled ? `event: changed\ndata: ${newest}\n\n` : undefined;
    if (text === undefined && now - stream.toldMs < PAGE_LIMITS.streamBeatMs) return;
    // A peer that does not read is not written to for ever.
    if (stream.response.writableNeedDrain) {
      end(stream);
      return;
    }
    if (text !== undefined) {
      stream.told = state;
      stream.requests = requests;
    }
    stream.toldMs = now;
    stream.response.write(text ?? ': still here\n\n');
  };
  const look = async (): Promise<void> => {
    // A store that cannot be read now is no reason to say anything.
    newest = await revision().catch(() => newest);
    for (const stream of [...open]) if (await judge(stream)) tell(stream);
  };
  const lookOnce = (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  const start = (response: ServerResponse, principal: string, stillAdmitted: () => Promise<void>): void => {
    if (isFull(principal)) {
      response.end();
      return;
    }
    const now = clock.elapsed();
    const stream: Stream = {
      principal,
      stillAdmitted,
      response,
      // Judged a moment ago, by the trust of then: looked at again at once.
      judgedUnder: '',
      judgedMs: now,
      toldMs: now,
      told: `${newest}.${trust.snapshot.generation}`,
      requests,
    };
    if (open.size === 0) {
      timer = setInterval(() => void lookOnce(), PAGE_LIMITS.streamTickMs);
      timer.unref();
    }
    open.add(stream);
    response.once('close', () => {
      open.delete(stream);
      if (open.size === 0) clearInterval(timer);
    });
    // How long the browser waits before it comes again, in milliseconds.
    response.write('retry: 5000\n\n');
  };

  return {
    get size() {
      return open.size;
    },
    open(principal, stillAdmitted) {
      if (isFull(principal)) {
        throw new FluxgateError(
          'rate_limited',
          'Too many pages are open that follow what happens. Close some.',
          {
            headers: { 'Retry-After': '30' },
            logged: 'limit: page streams',
          },
        );
      }
      return new Live((response) => start(response, principal, stillAdmitted));
    },
    noteRequest() {
      requests++;
      if (siblings.count > 1) untold++;
    },
    noteSignOut() {
      signOuts++;
    },
    close() {
      closed = true;
      clearInterval(timer);
      for (const stream of [...open]) end(stream);
    },
  };
}
