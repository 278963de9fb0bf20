/** Connections that are kept open and do nothing, by what the server's memory grows with them, after a first lot. */
import { missing } from '../harness/figures.ts';
import { idOf } from '../harness/fleet-store.ts';
import { bareServers, type Measurement, mainStore, NGINX_MISSING, Samples } from '../harness/measurement.ts';

const BODY_OCTETS = 1_000;

export const idle: Measurement = {
  name: 'idle',
  about: 'memory of connections that are kept open',
  method:
    'Growth of resident memory; each connection was asked for one object. A fresh server in each round.',
  async run(stage) {
    const { idleWarmUp, idleConnections, idleRounds } = stage.size;
    const path = `/clusters/${idOf(0)}`;
    const samples = new Samples();
    let hasNginx = false;
    for (let round = 1; round <= idleRounds; round++) {
      stage.say(`idle connections: round ${round} of ${idleRounds}`);
      const bare = await bareServers(stage, { bodyOctets: BODY_OCTETS, close: false });
      hasNginx = bare.has('nginx');
      const clusters = mainStore(stage);
      // A start less, where the figure says nothing.
      const gateway = stage.size.name === 'tiny' ? stage.shared(clusters) : stage.gateway(clusters);
      for (const [name, server] of [['fluxgate', await gateway] as const, ...bare]) {
        await stage.hold({ port: server.port, connections: idleWarmUp, path });
        const before = server.usage().residentMiB;
        await stage.hold({ port: server.port, connections: idleConnections, path });
        samples.add(name, 'kib', ((server.usage().residentMiB - before) * 1_024) / idleConnections);
        await stage.release();
        await stage.stop(server);
      }
    }
    const what = `memory of an idle connection (${idleConnections.toLocaleString('en-GB')} after ${idleWarmUp.toLocaleString('en-GB')})`;
    const cells = {
      fluxgate: samples.cell('fluxgate', 'kib'),
      node: samples.cell('node', 'kib'),
      nginx: hasNginx ? samples.cell('nginx', 'kib') : missing(NGINX_MISSING),
    };
    return [{ id: 'idle-kib', what, unit: 'KiB', cells }];
  },
};
