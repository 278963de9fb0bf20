import { StartupError } from '../../core/errors.ts';
import { shown } from './text.ts';

const SECONDS: Readonly<Record<string, number>> = Object.freeze({
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
});
const DURATION = /^(\d{1,6})([smhdw])$/;
const DATE = /^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d{2}:\d{2})?)?$/;

/** 90s, 15m, 1h, 30d, 2w in seconds. Throws StartupError naming the flag. */
export function durationSeconds(flag: string, text: string): number {
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS[unit] ?? Number.NaN);
  if (Number.isSafeInteger(seconds) && seconds > 0) return seconds;
  throw new StartupError(
    `${flag}: ${shown(JSON.stringify(text))} is no duration, such as 90s, 15m, 1h or 30d`,
  );
}

/**
 * A moment as the gateway has them (UTC, with milliseconds): an RFC 3339 time of any precision, a date, or how long ago. What names no
 * zone is UTC, as everything that the gateway prints.
 */
export function instant(flag: string, text: string, now: number): string {
  return moment(flag, text, (seconds) => now - seconds * 1_000);
}

/** The same, of what is to come: a duration counts from now on. Throws StartupError for what is over. */
export function instantAhead(flag: string, text: string, now: number): string {
  const time = moment(flag, text, (seconds) => now + seconds * 1_000);
  if (Date.parse(time) > now) return time;
  throw new StartupError(`${flag}: ${shown(text)} is over already; it is ${new Date(now).toISOString()}`);
}

/** `away`: a duration in seconds to milliseconds since the epoch. */
function moment(flag: string, text: string, away: (seconds: number) => number): string {
  if (DURATION.test(text)) return new Date(away(durationSeconds(flag, text))).toISOString();
  if (DATE.test(text)) {
    const zoned = /(?:[Zz]|[+-]\d{2}:\d{2})$/.test(text) || text.length === 10;
    const time = Date.parse(zoned ? text : `${text}Z`);
    if (!Number.isNaN(time)) return new Date(time).toISOString();
  }
  throw new StartupError(
    `${flag}: ${shown(JSON.stringify(text))} is neither a time, such as 2026-11-20T08:00:00Z, nor a duration, such as 1h`,
  );
}

/** "40s", "12m", "5h", "3d": as much as one looks at. */
export function age(of: string | null | undefined, now: number): string | undefined {
  const at = Date.parse(of ?? '');
  if (Number.isNaN(at)) return undefined;
  const seconds = Math.max(0, Math.round((now - at) / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
