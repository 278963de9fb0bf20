import type { CrlSet } from '../core/identity/crl-set.ts';
import { crlWarnings } from '../core/identity/crl-warnings.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

/** A list grows stale without anything else happening, so somebody has to look. */
const LOOK_INTERVAL_MS = 30_000;

export interface CrlWatch {
  /** Warns of what was not warned of before: after a reload, and by itself as time passes. */
  look(): void;
  stop(): void;
}

export function watchCrls(current: () => CrlSet, clock: Clock, log: Log): CrlWatch {
  let told: ReadonlySet<string> = new Set();
  const look = (): void => {
    const lines = crlWarnings(current(), clock.now());
    for (const line of lines) if (!told.has(line)) log.warn(line);
    told = new Set(lines);
  };
  const timer = setInterval(look, LOOK_INTERVAL_MS);
  timer.unref();
  look();
  return { look, stop: () => clearInterval(timer) };
}
