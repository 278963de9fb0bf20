/** How long something takes, and the longest that anything else on this thread waits meanwhile. */

export const print = (what: string, value: number, unit: string): void => {
  process.stdout.write(`${what.padEnd(64)} ${value.toFixed(value < 10 ? 2 : 0).padStart(9)} ${unit}\n`);
};

const threadCpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/**
 * Runs `work`, and prints how long it took and the longest that a timer of a millisecond came too late; also as this thread's
 * CPU time between two of its ticks, which is what is left of a stall on a machine that has nothing else to do.
 */
export async function measured<T>(what: string, work: () => Promise<T>): Promise<T> {
  let longest = 0;
  let longestCpu = 0;
  let last = performance.now();
  let lastCpu = threadCpuMs();
  let running = true;
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 1);
    last = now;
    const cpu = threadCpuMs();
    longestCpu = Math.max(longestCpu, cpu - lastCpu);
    lastCpu = cpu;
    if (running) setTimeout(tick, 1);
  };
  setTimeout(tick, 1);
  const begin = performance.now();
  const result = await work();
  const took = performance.now() - begin;
  await new Promise((resolve) => setTimeout(resolve, 5));
  running = false;
  print(`${what}: total`, took, 'ms');
  print(`${what}: longest stall`, longest, 'ms');
  print(`${what}: the same in CPU time`, longestCpu, 'ms');
  return result;
}
