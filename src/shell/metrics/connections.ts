import { Counter, Gauge, type Registry } from 'prom-client';
import { LOAD_LEVELS, type LoadLevel } from '../../core/rate.ts';
import type { WorkersCount } from '../../core/workers/messages.ts';
import { type CounterTally, createCounterTally } from './tally.ts';

/** What became of connections, and how busy this process is. */
export interface ConnectionMetrics {
  /** Version, cipher and group are `none` where the handshake failed. */
  readonly handshakes: CounterTally<'result' | 'version' | 'cipher' | 'group'>;
  readonly refusedConnections: Counter<'reason'>;
  readonly refusedProxyHeaders: Counter<'reason'>;
  observeWorkers(workers: WorkersCount): void;
  observeConnections(count: () => number): void;
  observeHandshakes(count: () => Readonly<Record<'entitled' | 'stranger', number>>): void;
  observeLoad(level: () => LoadLevel): void;
}

export function createConnectionMetrics(registry: Registry): ConnectionMetrics {
  const registers = [registry];
  const workers = new Gauge({
    name: 'fluxgate_workers',
    help: 'Processes that serve.',
    aggregator: 'first',
    registers,
  });
  workers.set(1);
  const replaced = new Counter({
    name: 'fluxgate_workers_replaced_total',
    help: 'Worker processes that ended by themselves and were replaced; their connections ended with them.',
    aggregator: 'first',
    registers,
  });
  return {
    handshakes: createCounterTally({
      name: 'fluxgate_tls_handshakes_total',
      help: 'TLS handshakes, by result and by what was agreed on.',
      labelNames: ['result', 'version', 'cipher', 'group'],
      registers,
    }),
    refusedConnections: new Counter({
      name: 'fluxgate_connections_refused_total',
      help: 'Connections ended before their handshake was done, by the limit that they met.',
      labelNames: ['reason'],
      registers,
    }),
    refusedProxyHeaders: new Counter({
      name: 'fluxgate_proxy_headers_refused_total',
      help: 'Connections of trusted proxies ended for their PROXY protocol header, by what is wrong with it.',
      labelNames: ['reason'],
      registers,
    }),
    observeWorkers(count) {
      workers.set(count.serving);
      replaced.reset();
      replaced.inc(count.replaced);
    },
    observeConnections(count) {
      new Gauge({
        name: 'fluxgate_open_connections',
        help: 'TCP connections of the HTTPS listener, handshakes included.',
        registers,
        collect() {
          this.set(count());
        },
      });
    },
    observeHandshakes(count) {
      new Gauge({
        name: 'fluxgate_tls_handshakes_unfinished',
        help: 'TLS handshakes that are not done yet, by whether a credential was lately accepted from the address.',
        labelNames: ['address'],
        registers,
        collect() {
          for (const [address, handshakes] of Object.entries(count())) this.set({ address }, handshakes);
        },
      });
    },
    observeLoad(level) {
      new Gauge({
        name: 'fluxgate_load_shedding',
        aggregator: 'max',
        help: 'Whom load turns away: 0 nobody, 1 those without certificate and token, 2 those with tokens as well.',
        registers,
        collect() {
          this.set(LOAD_LEVELS.indexOf(level()));
        },
      });
    },
  };
}
