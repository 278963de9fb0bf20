/**
 * Where the CPU of a poll goes: profiles Fluxgate while it is polled (fresh mutual TLS each time) and draws a flame graph.
 * `node bench/flame.ts [CLUSTERS] [FILE.svg]`. The profiled process runs without its sandbox, which would not let the profile be written.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CpuProfile, flameGraph } from './flame-graph.ts';
import { SIZES } from './harness/size.ts';
import { createStage, FLUX_GROUPS } from './harness/stage.ts';

const CLUSTERS = Number(process.argv[2] ?? 1_000);
const FILE = process.argv[3] ?? fileURLToPath(new URL('../docs/images/poll-flame.svg', import.meta.url));
const WARM_UP = 4_000;
const POLLS = 4_000;
const SAMPLE_US = 250;

const directory = await mkdtemp(join(tmpdir(), 'fluxgate-flame-'));
const stage = await createStage(SIZES.quick, FLUX_GROUPS, () => undefined);
const gateway = await stage.gateway(CLUSTERS, {
  environment: { SANDBOX: 'off' },
  nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-interval=${SAMPLE_US}`],
});
const pollers = Math.min(CLUSTERS, 200);
const poll = (requests: number): ReturnType<typeof stage.visit> =>
  stage.visit({
    port: gateway.port,
    requests,
    atOnce: 8,
    perConnection: 1,
    who: { clusters: CLUSTERS, first: 0, step: Math.floor(CLUSTERS / pollers) },
  });
await poll(WARM_UP);
// The profile's moments and these are of one clock, the system's monotonic one.
const moment = (): number => Number(process.hrtime.bigint() / 1_000n);
const from = moment();
const { failures } = await poll(POLLS);
const until = moment();
await stage.stop(gateway);
await stage.close();

const name = (await readdir(directory)).find((file) => file.endsWith('.cpuprofile'));
if (name === undefined) throw new Error('there is no profile');
const profile = JSON.parse(await readFile(join(directory, name), 'utf8')) as CpuProfile;
const svg = flameGraph(profile, {
  from,
  until,
  title: `What JavaScript does in ${POLLS} polls, and calls; the handshakes in OpenSSL are beside it`,
});
await writeFile(FILE, svg);
await rm(directory, { recursive: true, force: true });
process.stdout.write(
  `${FILE}: ${Math.round(svg.length / 1_024)} KiB; failures: ${JSON.stringify(failures)}\n`,
);
