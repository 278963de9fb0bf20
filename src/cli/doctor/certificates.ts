import type { X509Certificate } from 'node:crypto';
import { type Finding, note, ok, wrong } from './finding.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** Whether it is in time, and for how long. */
export function certificateAge(
  name: string,
  { validFromDate, validToDate }: X509Certificate,
  nowMs: number,
): Finding {
  const until = validToDate.toISOString();
  if (nowMs > validToDate.getTime()) return wrong(`${name}: has expired at ${until}`, 'renew it');
  if (nowMs < validFromDate.getTime()) {
    return wrong(
      `${name}: is valid from ${validFromDate.toISOString()} on`,
      "is this machine's clock right?",
    );
  }
  const days = Math.floor((validToDate.getTime() - nowMs) / DAY_MS);
  return days < SOON_DAYS
    ? note(`${name}: expires in ${days} days, at ${until}`, 'renew it')
    : ok(`${name}: is valid until ${until}`);
}
