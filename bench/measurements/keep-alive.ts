/** Requests on kept-open connections, of operators: what the handshake leaves over. A Flux route would end the connection. */
import type { Figure, ServerName } from '../harness/figures.ts';
import { idOf } from '../harness/fleet-store.ts';
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

const AT_ONCE = 8;
/** Rounds before any counts: at first a request costs twice what it costs after some 20,000, when the last of its code is compiled. */
const WARM_UP_ROUNDS = { full: 4, quick: 4, tiny: 1 } as const;

export const keepAlive: Measurement = {
  name: 'keep-alive',
  about: 'CPU and rate of requests on kept-open connections',
  method:
    "Operators' requests with certificates, since an answer to Flux ends its connection; the bare servers send as many octets of body. Four rounds more than are counted come first, on each server: code that has run less often is not compiled yet.",
  async run(stage) {
    const { keptRequests, keptRounds: rounds } = stage.size;
    const gateway = await stage.shared(mainStore(stage));
    const figures: Figure[] = [];
    for (const [prefix, path, called] of ROUTES) {
      const perConnection = Math.ceil(keptRequests / AT_ONCE);
      const asked = { atOnce: AT_ONCE, perConnection, requests: perConnection * AT_ONCE, who: { path } };
      const { octets } = await stage.visit({ ...asked, port: gateway.port, requests: 1, perConnection: 1 });
      const bare = await bareServers(stage, { bodyOctets: octets, close: false });
      const servers = new Map<ServerName, Server>([['fluxgate', gateway], ...bare]);
      await settle(stage, servers.values());
      const samples = new Samples();
      for (let round = 1 - WARM_UP_ROUNDS[stage.size.name]; round <= rounds; round++) {
        stage.say(`${called}: round ${round} of ${rounds}`);
        for (const [name, server] of servers) {
          const before = server.usage().cpuMs;
          const { took, seconds } = await stage.visit({ ...asked, port: server.port });
          if (round < 1) continue;
          samples.add(name, 'cpu', ((server.usage().cpuMs - before) * 1_000) / asked.requests);
          samples.add(name, 'rate', took.length / seconds);
          samples.add(name, 'p50', p50(took));
          samples.add(name, 'p99', p99(took));
        }
      }
      for (const server of bare.values()) await stage.stop(server);
      for (const [id, what, unit] of ROWS) {
        const cells = sideBySide(samples, bare, id);
        figures.push({ id: `${prefix}-${id}`, what: `${what} (${called})`, unit, cells });
      }
    }
    return figures;
  },
};

const ROUTES = [
  ['kept', `/clusters/${idOf(0)}`, 'GET /clusters/{id}'],
  ['kept-health', '/health', 'GET /health'],
] as const;

const ROWS = [
  ['cpu', 'CPU per keep-alive request', 'µs'],
  ['rate', `keep-alive requests a second, ${AT_ONCE} connections`, ''],
  ['p50', 'latency of these requests, p50', 'ms'],
  ['p99', 'latency of these requests, p99', 'ms'],
] as const;
