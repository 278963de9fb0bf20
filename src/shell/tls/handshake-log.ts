import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';

/** A client that cannot even shake hands shows nothing but a network error: the log must say why, but a flood must not fill it. */
const LINES_PER_WINDOW_MAX = 20;
const WINDOW_MS = 10_000;

export interface HandshakeLog {
  done(): void;
  failed(reason: string, source: string): void;
}

export function createHandshakeLog(log: Log, metrics: Metrics, clock: Clock): HandshakeLog {
  let windowStart = clock.elapsed();
  let lines = 0;
  const inWindow = (): boolean => {
    const now = clock.elapsed();
    if (now - windowStart > WINDOW_MS) {
      if (lines > LINES_PER_WINDOW_MAX) {
        log.warn(
          { failures: lines - LINES_PER_WINDOW_MAX },
          'further TLS handshakes failed in the last 10 s',
        );
      }
      windowStart = now;
      lines = 0;
    }
    lines++;
    return lines <= LINES_PER_WINDOW_MAX;
  };
  return {
    done: () => metrics.handshakes.inc({ result: 'done' }),
    failed(reason, source) {
      metrics.handshakes.inc({ result: 'failed' });
      if (inWindow()) log.warn({ source, reason }, 'TLS handshake failed');
    },
  };
}
