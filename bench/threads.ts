/**
 * Processes or threads, one listening socket or one for each: `node bench/threads.ts [COUNT]`. Bare node:https servers with our TLS, so
 * that what differs is how they are spread. CPU per poll, memory of all together, and how even the work is; asserts nothing.
 */
import { quantile } from './harness/figures.ts';
import { SPREADS, type Spread } from './harness/servers.ts';
import { SIZES } from './harness/size.ts';
import { createStage, FLUX_GROUPS } from './harness/stage.ts';

const COUNT = Number(process.argv[2] ?? 2);
const ROUNDS = 5;
const POLLS = 1_500;
const AT_ONCE = 32;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const stage = await createStage(SIZES.quick, FLUX_GROUPS, () => undefined);
try {
  const servers = new Map<Spread, Awaited<ReturnType<typeof stage.floor>>>();
  for (const spread of SPREADS) {
    const server = await stage.floor({ bodyOctets: 2_048, close: true, several: { spread, count: COUNT } });
    server.pin(undefined);
    servers.set(spread, server);
  }
  const results = new Map<Spread, { cpu: number[]; p99: number[]; share: number[] }>();
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [spread, server] of servers) {
      const before = server.each();
      const { took } = await stage.visit({
        port: server.port,
        requests: POLLS,
        atOnce: AT_ONCE,
        perConnection: 1,
        who: { clusters: 100, first: 0, step: 1 },
      });
      if (round === 0) continue;
      const spent = [...server.each()].map(([pid, { cpuMs }]) => cpuMs - (before.get(pid)?.cpuMs ?? 0));
      const all = spent.reduce((sum, ms) => sum + ms, 0);
      const result = results.get(spread) ?? { cpu: [], p99: [], share: [] };
      result.cpu.push(all / POLLS);
      result.p99.push(quantile(took, 0.99));
      result.share.push(Math.max(...spent) / all);
      results.set(spread, result);
    }
  }
  say(`${COUNT} bare servers on one port, ${AT_ONCE} polls at once, medians of ${ROUNDS} rounds`);
  for (const [spread, { cpu, p99, share }] of results) {
    const { residentMiB } = servers.get(spread)?.usage() ?? { residentMiB: Number.NaN };
    // Threads are one process to the operating system, so nothing is told of their shares.
    const busiest = spread.startsWith('threads')
      ? ''
      : `, the busiest process ${(quantile(share, 0.5) * 100).toFixed(0)} %`;
    say(
      `${spread.padEnd(22)} ${quantile(cpu, 0.5).toFixed(3)} ms of CPU a poll, p99 ${quantile(p99, 0.5).toFixed(1)} ms, ${residentMiB.toFixed(0)} MiB${busiest}`,
    );
  }
} finally {
  await stage.close();
}
