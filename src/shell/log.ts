import pino, { type DestinationStream, type Logger } from 'pino';
import type { LogLevel } from '../core/config.ts';
import type { LateLine, LogDestination } from './log-destination.ts';

export type Log = Logger;

/**
 * Where no secret may stand, whatever a caller passes by mistake: tokens, Authorization headers, keys, PEM bodies.
 * pino removes these paths; `scrub` below catches what is inside texts.
 */
const REDACTED_PATHS = [
  'authorization',
  '*.authorization',
  'headers',
  '*.headers',
  'token',
  '*.token',
  'key',
  '*.key',
  'password',
  '*.password',
];

const SECRET_TEXT =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)|\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}/g;

/** Replaces private keys and credentials inside a text, for messages that come from elsewhere. */
export function scrub(text: string): string {
  return text.replace(SECRET_TEXT, '[redacted]');
}

/**
 * JSON lines; times are ISO 8601 in UTC, so that two machines' logs can be laid side by side. `worker`: of several processes that
 * write into the same log, which one.
 */
export function createLog(level: LogLevel, destination: DestinationStream, worker?: number): Log {
  return pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      serializers: { err: describeError },
    },
    destination,
  );
}

/** Writes a line whose fields are JSON already: `"a":1,"b":"c"`. They are asked for once, perhaps later: what they are made of stays as it is. */
export type ReadyLine = (message: string, fields: () => string) => void;

/**
 * Lines of level info, past pino and its redaction, which cost more than a request's whole decision. Only for fields of which
 * the caller knows that none can be a secret; `message` stands in the line as it is.
 */
export function readyLines(log: Log): ReadyLine {
  const stream = (log as unknown as Record<symbol, DestinationStream & Partial<LogDestination>>)[
    pino.symbols.streamSym
  ];
  if (stream === undefined) throw new TypeError('this pino keeps its stream elsewhere');
  const bound = Object.entries(log.bindings()).map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)},`,
  );
  const base = bound.join('');
  return (message, fields) => {
    if (!log.isLevelEnabled('info')) return;
    const line = new ReadyText(message, base, fields);
    if (stream.writeLate === undefined) stream.write(line.text());
    else stream.writeLate(line);
  };
}

/** Of the moment at which it is made. A class, for there is one for each request. */
class ReadyText implements LateLine {
  readonly #atMs = Date.now();
  readonly #message: string;
  readonly #base: string;
  readonly #fields: () => string;

  constructor(message: string, base: string, fields: () => string) {
    this.#message = message;
    this.#base = base;
    this.#fields = fields;
  }

  text(): string {
    const head = `"time":"${isoTime(this.#atMs)}",${this.#base}`;
    try {
      return `{"level":"info",${head}${this.#fields()},"msg":"${this.#message}"}\n`;
    } catch (error) {
      // There is nobody left to throw it at but the process, which would end.
      const err = JSON.stringify(describeError(error));
      return `{"level":"error",${head}"line":"${this.#message}","err":${err},"msg":"a line of the log could not be made"}\n`;
    }
  }
}

let second = { at: Number.NaN, text: '' };

/** ISO 8601 in UTC. What changes less often than once a second is kept: Date takes longer for it than the rest of a line. */
export function isoTime(nowMs: number): string {
  const at = Math.floor(nowMs / 1_000);
  if (second.at !== at) second = { at, text: new Date(at * 1_000).toISOString().slice(0, 20) };
  return `${second.text}${String(nowMs - at * 1_000).padStart(3, '0')}Z`;
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return scrub(String(error));
  return {
    type: error.name,
    message: scrub(error.message),
    stack: scrub(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
