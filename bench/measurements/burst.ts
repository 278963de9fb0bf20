/** A fleet that polls all at once: what an operator's restart on every cluster, or the end of an outage, looks like. */
import type { ServerName } from '../harness/figures.ts';
import {
  bareServers,
  type Measurement,
  mainStore,
  p50,
  p99,
  Samples,
  settle,
  sideBySide,
} from '../harness/measurement.ts';
import type { Server } from '../harness/servers.ts';

export const burst: Measurement = {
  name: 'burst',
  about: 'thousands of polls that arrive at once',
  method:
    "All connections are begun at once by the load; latency is from then on, and holds the load's own work on them.",
  async run(stage) {
    const { burst: polls, burstRounds } = stage.size;
    const clusters = mainStore(stage);
    const gateway = await stage.shared(clusters);
    await stage.swept(clusters);
    const asked = { atOnce: polls, perConnection: 1, requests: polls };
    // Those who have polled before.
    const pollers = Math.min(clusters, stage.size.pollersMax ?? polls, polls);
    const who = { clusters, first: 0, step: Math.floor(clusters / pollers) };
    const one = await stage.visit({ ...asked, requests: 1, port: gateway.port, who });
    const bare = await bareServers(stage, { bodyOctets: one.octets, close: true });
    const servers = new Map<ServerName, Server>([['fluxgate', gateway], ...bare]);
    const samples = new Samples();
    for (let round = 1; round <= burstRounds; round++) {
      stage.say(`${polls} polls at once: round ${round} of ${burstRounds}`);
      for (const [name, server] of servers) {
        await settle(stage, [server]);
        const { took, seconds } = await stage.visit({ ...asked, port: server.port, who });
        samples.add(name, 'seconds', seconds);
        samples.add(name, 'p50', p50(took));
        samples.add(name, 'p99', p99(took));
        samples.add(name, 'failed', polls - took.length);
      }
    }
    for (const server of bare.values()) await stage.stop(server);
    const told = polls.toLocaleString('en-GB');
    return [
      ['seconds', `${told} polls at once: all were answered after`, 's'],
      ['p50', `${told} polls at once: latency, p50`, 'ms'],
      ['p99', `${told} polls at once: latency, p99`, 'ms'],
      ['failed', `${told} polls at once: not answered with 200`, ''],
    ].map(([id = '', what = '', unit = '']) => ({
      id: `burst-${id}`,
      what,
      unit,
      cells: sideBySide(samples, bare, id),
    }));
  },
};
