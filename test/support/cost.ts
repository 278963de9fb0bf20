const ROUNDS = 5;

/** CPU that this process spent on `work`, in microseconds; the least of some rounds, for others may disturb one. */
function spentOn(work: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

/** How many times as much `hostile` costs as `ordinary`, which is of the same length. Whatever takes the square of a length is far above ten. */
export const timesAsCostly = (hostile: () => unknown, ordinary: () => unknown): number =>
  spentOn(hostile) / Math.max(1_000, spentOn(ordinary));
