import { LIMITS } from '../../core/limits.ts';
import { type LoadLevel, loadLevel } from '../../core/rate.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/** How late the event loop is: what every peer waits for, whatever the cause. */
export interface Load {
  readonly level: LoadLevel;
  stop(): void;
}

export function watchLoad(clock: Clock, log: Log): Load {
  let level: LoadLevel = 'none';
  const delaysMs: number[] = [];
  let due = clock.elapsed() + LIMITS.loadSampleMs;
  const sample = (): void => {
    const now = clock.elapsed();
    delaysMs.push(Math.max(0, now - due));
    if (delaysMs.length > LIMITS.loadSamples) delaysMs.shift();
    due = now + LIMITS.loadSampleMs;
    const next = loadLevel(delaysMs);
    if (next === level) return;
    const line = { event_loop_delay_ms: Math.round(delaysMs.at(-1) ?? 0), shedding: next };
    if (next === 'none') log.info(line, 'load: everybody is served again');
    else log.warn(line, 'load: some are turned away');
    level = next;
  };
  const timer = setInterval(sample, LIMITS.loadSampleMs);
  timer.unref();
  return {
    get level() {
      return level;
    },
    stop: () => clearInterval(timer),
  };
}
