import pino, { type DestinationStream, type Logger } from 'pino';
import type { LogLevel } from '../core/config.ts';

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

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return scrub(String(error));
  return {
    type: error.name,
    message: scrub(error.message),
    stack: scrub(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
