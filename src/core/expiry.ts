/** How long certificates still live, in the words of operators and of metrics. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** `14d`, `36h` → milliseconds; openapi.yaml has let nothing else through. */
export function parseLifetime(text: string): number {
  const amount = Number.parseInt(text, 10);
  return amount * (text.endsWith('d') ? DAY_MS : HOUR_MS);
}

const BOUNDS = Object.freeze([
  ['1d', DAY_MS],
  ['7d', 7 * DAY_MS],
  ['14d', 14 * DAY_MS],
  ['30d', 30 * DAY_MS],
] as const);

/** How many expire within each bound: a bound holds those of the shorter ones too, and none that has expired. */
export function countExpiring(notAfters: Iterable<number>, nowMs: number): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { expired: 0, '1d': 0, '7d': 0, '14d': 0, '30d': 0, more: 0 };
  const add = (label: string): void => {
    counts[label] = (counts[label] ?? 0) + 1;
  };
  for (const notAfter of notAfters) {
    const left = notAfter - nowMs;
    if (left < 0) {
      add('expired');
      continue;
    }
    const within = BOUNDS.filter(([, bound]) => left <= bound);
    for (const [label] of within) add(label);
    if (within.length === 0) add('more');
  }
  return counts;
}
