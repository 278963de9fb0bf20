/** A CA more in the bundle, and SIGHUP: until it is in force, what polls notice of it, and what certificates cost that are judged anew. */
import { appendFileSync } from 'node:fs';
import { copyFile, type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { mintCa } from '../../certs-dev/mint.ts';
import { cellOf, type Figure } from '../harness/figures.ts';
import { type Measurement, mainStore, p99, pause, settle } from '../harness/measurement.ts';

const RELOADED = '"reloaded';
const TIMEOUT_MS = 30_000;
const AROUND_SECONDS = 0.5;

export const reload: Measurement = {
  name: 'reload',
  about: 'a reload of trust, and polls meanwhile',
  method:
    'A CA more in the bundle and SIGHUP, until the log says that it is in force; every certificate is judged anew after that.',
  async run(stage) {
    const { pace, reloads } = stage.size;
    const clusters = mainStore(stage);
    const pollers = Math.min(clusters, 1_000);
    const logFile = join(stage.directory, 'reload.log');
    const bundle = join(stage.directory, 'reloaded-ca.crt');
    await copyFile(join(stage.directory, 'cluster-ca.crt'), bundle);
    const gateway = await stage.gateway(clusters, { logFile, environment: { CLUSTER_CA_FILE: bundle } });
    const visit = (requests: number, perSecond?: number) =>
      stage.visit({
        port: gateway.port,
        requests,
        atOnce: 8,
        perConnection: 1,
        ...(perSecond === undefined ? {} : { perSecond }),
        who: { clusters, first: 0, step: Math.floor(clusters / pollers) },
      });
    const cpuOf = async (polls: number): Promise<number> => {
      const before = gateway.usage().cpuMs;
      await visit(polls);
      return (gateway.usage().cpuMs - before) / polls;
    };
    const log = await open(logFile);
    const reloadWith = async (name: string): Promise<number> => {
      const { pem } = await mintCa(name);
      return heardOf(log, () => {
        appendFileSync(bundle, pem);
        process.kill(gateway.pid, 'SIGHUP');
      });
    };
    await visit(pollers);
    const inForce: number[] = [];
    const rest: number[] = [];
    const during: number[] = [];
    const known: number[] = [];
    const anew: number[] = [];
    for (let round = 1; round <= reloads; round++) {
      stage.say(`reload: round ${round} of ${reloads}`);
      await settle(stage, [gateway]);
      known.push(await cpuOf(pollers));
      const seconds = Math.max(1, stage.size.restSeconds / 2);
      rest.push(...(await visit(Math.ceil(pace * seconds), pace)).took);
      const beside = visit(Math.ceil(pace * seconds), pace);
      await pause(AROUND_SECONDS * 1_000);
      const at = performance.timeOrigin + performance.now();
      inForce.push(await reloadWith(`another CA ${round}`));
      const { begun: starts, took } = await beside;
      during.push(...took.filter((ms, n) => (starts[n] ?? 0) + ms > at));
      // A second generation, for certificates that did not poll meanwhile.
      await reloadWith(`one more CA ${round}`);
      anew.push(await cpuOf(pollers));
    }
    await log.close();
    await stage.stop(gateway);
    const figure = (id: string, what: string, values: readonly number[]): Figure => ({
      id: `reload-${id}`,
      what,
      unit: 'ms',
      cells: { fluxgate: cellOf(values) },
    });
    return [
      figure('in-force', 'SIGHUP until a new CA is in force', inForce),
      figure('p99-rest', `p99 of ${pace} polls a second before it`, [p99(rest)]),
      figure('p99-during', `p99 of ${pace} polls a second from SIGHUP on`, [p99(during)]),
      figure('cpu-known', 'CPU per poll before it', known),
      figure('cpu-anew', "CPU of a certificate's first poll after it", anew),
    ];
  },
};

/** What a log is told from here on, read piece by piece: the lines of polls are many. */
async function heardOf(log: FileHandle, act: () => void): Promise<number> {
  let { size: at } = await log.stat();
  let tail = '';
  const begun = performance.now();
  act();
  for (;;) {
    const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(65_536), position: at });
    at += bytesRead;
    tail = tail.slice(-RELOADED.length) + buffer.toString('latin1', 0, bytesRead);
    if (tail.includes(RELOADED)) return performance.now() - begun;
    if (performance.now() - begun > TIMEOUT_MS) throw new Error('no reload was told of');
    if (bytesRead === 0) await pause(2);
  }
}
