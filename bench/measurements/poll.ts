/** A fresh mutual TLS connection, one GET, close: with every size of the store, the bare servers in between. */
import type { Figure, ServerName } from '../harness/figures.ts';
import { cellOf, missing } from '../harness/figures.ts';
import {
  bareServers,
  type Measurement,
  mainStore,
  NGINX_MISSING,
  p50,
  p99,
  Samples,
  settle,
  sideBySide,
} from '../harness/measurement.ts';
import type { Server } from '../harness/servers.ts';
import type { Stage } from '../harness/stage.ts';

const AT_ONCE = 8;
/** Before anything counts: code that has run less often is not compiled yet, and costs twice as much. */
const WARM_UP_POLLS = { full: 5_000, quick: 3_000, tiny: 0 } as const;
/** A key exchange that every nginx knows too, so that all do the same. */
const ALIKE = 'P-256';
/** The bare server that gets Fluxgate's TLS options and nothing else. */
const AS_OPTIONS = 'node options';
/** So that each round asks for other clusters of a large store. */
const ROUND_STEP = 7;

export const poll: Measurement = {
  name: 'poll',
  about: 'CPU, rate, latency and memory of polls, by size of the store',
  method:
    'Polls go round a store of each size and both bare servers in short turns, there and back, in each over other clusters of the store: what the machine does meanwhile lasts longer than a turn, and falls on all of them. A certificate that polls has polled before. The rows with the same key exchange are of the same rounds: an nginx with an older OpenSSL has no hybrid, and does less for its poll otherwise. Where the server is busy for clearly less than all of the time, the load is what bounds the rate: count on 1000 ÷ CPU.',
  async run(stage) {
    const { stores, rounds, polls } = stage.size;
    const servers = new Map<string, Polled>();
    const figures: Figure[] = [];
    for (const clusters of stores) {
      const server = await stage.shared(clusters);
      const sweep = await stage.swept(clusters);
      servers.set(`fluxgate ${clusters}`, { server, clusters });
      figures.push(...sweepFigures(stage, clusters, sweep));
    }
    const [first = 1] = stores;
    const gateway = await stage.shared(first);
    const { octets } = await stage.visit({ ...oneByOne(gateway.port, 1), who: spread(first, first, 1, 0) });
    const bare = await bareServers(stage, { bodyOctets: octets, close: true });
    for (const [name, server] of bare) servers.set(name, { server, clusters: first });
    const asOptions = await stage.floor({ bodyOctets: octets, close: true, context: 'options' });
    servers.set(AS_OPTIONS, { server: asOptions, clusters: first });
    const main = mainStore(stage);
    const alike = new Map<ServerName, Server>([['fluxgate', await stage.shared(main)], ...bare]);
    for (const [name, server] of alike)
      servers.set(`${name} ${ALIKE}`, { server, clusters: main, groups: ALIKE });
    await settle(
      stage,
      [...servers.values()].map(({ server }) => server),
    );

    const samples = new Samples();
    for (let round = 1 - Math.ceil(WARM_UP_POLLS[stage.size.name] / polls); round <= rounds; round++) {
      stage.say(`polls: round ${round} of ${rounds}`);
      // There and back: whoever comes behind a dear one finds the caches as that one left them.
      const turn = round % 2 === 0 ? [...servers] : [...servers].toReversed();
      for (const [name, { server, clusters, groups }] of turn) {
        const pollers = Math.min(clusters, stage.size.pollersMax ?? clusters);
        const before = server.usage().cpuMs;
        const offered = groups === undefined ? {} : { groups };
        const who = { ...spread(clusters, pollers, polls, Math.abs(round)), ...offered };
        const { took, seconds } = await stage.visit({ ...oneByOne(server.port, polls), who });
        const after = server.usage();
        if (round < 1) continue;
        samples.add(name, 'cpu', (after.cpuMs - before) / polls);
        samples.add(name, 'rate', took.length / seconds);
        samples.add(name, 'busy', (after.cpuMs - before) / seconds / 10);
        samples.add(name, 'p50', p50(took));
        samples.add(name, 'p99', p99(took));
      }
    }
    for (const [name, { server }] of servers) {
      const { peakMiB } = server.usage();
      if (peakMiB !== undefined) samples.add(name, 'peak', peakMiB);
    }
    for (const server of [...bare.values(), asOptions]) await stage.stop(server);
    for (const [id, what, unit] of ROWS) {
      for (const clusters of stores) {
        const cells = sideBySide(samples, bare, id, `fluxgate ${clusters}`);
        figures.push({ id: `poll-${id}-${clusters}`, what: `${what}, ${named(clusters)}`, unit, cells });
      }
    }
    const cells = {
      fluxgate: samples.cell(`fluxgate ${ALIKE}`, 'cpu'),
      node: samples.cell(`node ${ALIKE}`, 'cpu'),
      nginx: bare.has('nginx') ? samples.cell(`nginx ${ALIKE}`, 'cpu') : missing(NGINX_MISSING),
    };
    const unit = 'ms';
    const beside = {
      fluxgate: samples.cell(`fluxgate ${main}`, 'cpu'),
      node: samples.cell(AS_OPTIONS, 'cpu'),
    };
    return [
      ...figures,
      {
        id: `poll-options-cpu-${main}`,
        what: `CPU per poll, node:https as its TLS options make it, ${named(main)}`,
        unit,
        cells: beside,
      },
      { id: `poll-alike-cpu-${main}`, what: `CPU per poll, all with ${ALIKE}, ${named(main)}`, unit, cells },
    ];
  },
};

interface Polled {
  readonly server: Server;
  readonly clusters: number;
  /** What is offered instead of what Flux offers. */
  readonly groups?: string;
}

const ROWS = [
  ['cpu', 'CPU per poll', 'ms'],
  ['rate', `polls a second, ${AT_ONCE} at once`, ''],
  ['busy', 'share of that time that the server was busy', '%'],
  ['p50', `latency of these polls, p50`, 'ms'],
  ['p99', `latency of these polls, p99`, 'ms'],
  ['peak', 'peak RSS', 'MiB'],
] as const;

const named = (clusters: number): string => `${clusters.toLocaleString('en-GB')} clusters`;

const oneByOne = (port: number, requests: number) => ({
  port,
  requests,
  atOnce: AT_ONCE,
  perConnection: 1,
});

/** Spread over those clusters that have polled before. */
function spread(clusters: number, pollers: number, polls: number, round: number) {
  const apart = Math.floor(clusters / pollers);
  const step = apart * Math.max(1, Math.floor(pollers / polls));
  return { clusters, first: (round * ROUND_STEP * apart) % clusters, step };
}

function sweepFigures(stage: Stage, clusters: number, sweep: Awaited<ReturnType<Stage['swept']>>): Figure[] {
  const all = sweep.polls === clusters;
  const who = all ? 'each was polled once' : `${sweep.polls.toLocaleString('en-GB')} were polled once`;
  const cells = { fluxgate: cellOf([sweep.residentMiB]) };
  const id = all ? `rss-${clusters}` : `rss-${clusters}-partly`;
  stage.say(`${sweep.polls} polls took ${sweep.seconds.toFixed(1)} s`);
  return [
    {
      id: `first-cpu-${clusters}`,
      what: `CPU of a cluster's first poll after the start, ${named(clusters)}`,
      unit: 'ms',
      cells: { fluxgate: sweep.polls > 0 ? cellOf([sweep.cpuMsPerPoll]) : missing('not measured') },
    },
    { id, what: `RSS after ${who}, ${named(clusters)}`, unit: 'MiB', cells },
  ];
}
