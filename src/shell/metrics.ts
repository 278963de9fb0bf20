import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CrlSet } from '../core/identity/crl-set.ts';
import type { RevocationKind } from '../core/identity/revocation-target.ts';
import { LOAD_LEVELS, type LoadLevel } from '../core/rate.ts';
import type { Clock } from './clock.ts';

/** What the admin listener shows of this process. Labels are closed lists: no client can add a series. */
export interface Metrics {
  readonly requests: Counter<'operation' | 'status' | 'principal'>;
  readonly requestSeconds: Histogram<'operation'>;
  readonly handshakes: Counter<'result'>;
  readonly refusedConnections: Counter<'reason'>;
  readonly refusedProxyHeaders: Counter<'reason'>;
  readonly limitedRequests: Counter<'reason'>;
  readonly refusedCertificates: Counter<'rule'>;
  readonly observedCertificates: Counter;
  readonly auditEvents: Counter<'event'>;
  readonly keyPins: Counter<'verdict'>;
  readonly reloads: Counter<'result'>;
  readonly generation: Gauge;
  readonly revocationAttempts: Counter<'kind'>;
  observeRevocations(count: () => Readonly<Record<RevocationKind, number>>): void;
  observeConnections(count: () => number): void;
  observeHandshakes(count: () => Readonly<Record<'entitled' | 'stranger', number>>): void;
  observeLoad(level: () => LoadLevel): void;
  /** `count` is asked at each scrape. */
  observeExpiry(count: () => Readonly<Record<string, number>>): void;
  observeKeyConflicts(count: () => number): void;
  observeCrls(current: () => CrlSet, clock: Clock): void;
  contentType(): string;
  text(): Promise<string>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'fluxgate_' });
  return {
    requests: new Counter({
      name: 'fluxgate_requests_total',
      help: 'Requests answered, by operation, HTTP status and kind of principal.',
      labelNames: ['operation', 'status', 'principal'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'fluxgate_request_duration_seconds',
      help: 'From the complete request head to the answer, by operation.',
      labelNames: ['operation'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    handshakes: new Counter({
      name: 'fluxgate_tls_handshakes_total',
      help: 'TLS handshakes, by result.',
      labelNames: ['result'],
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
    limitedRequests: new Counter({
      name: 'fluxgate_requests_limited_total',
      help: 'Requests turned away with 429, or with 503 under load, by the limit that they met.',
      labelNames: ['reason'],
      registers,
    }),
    refusedCertificates: new Counter({
      name: 'fluxgate_client_certificates_refused_total',
      help: 'Requests refused for their client certificate (495), by the rule that refused it.',
      labelNames: ['rule'],
      registers,
    }),
    auditEvents: new Counter({
      name: 'fluxgate_audit_events_total',
      help: 'What the audit trail was told besides changes, by event; rows hold many alike.',
      labelNames: ['event'],
      registers,
    }),
    observedCertificates: new Counter({
      name: 'fluxgate_client_certificates_observed_total',
      help: 'Requests refused (495) whose certificate the CA in CLUSTER_CA_OBSERVE_FILE would have let in.',
      registers,
    }),
    keyPins: new Counter({
      name: 'fluxgate_key_pin_changes_total',
      help: "Changes in what is known of clusters' keys; lingering and refused: a key that its cluster had left behind.",
      labelNames: ['verdict'],
      registers,
    }),
    reloads: new Counter({
      name: 'fluxgate_reloads_total',
      help: 'Reloads of certificates, CRLs, tokens and policies, by result; refused ones left the last good state in force.',
      labelNames: ['result'],
      registers,
    }),
    generation: new Gauge({
      name: 'fluxgate_trust_generation',
      help: 'Number of the snapshot of trust that is in force; it grows with each reload.',
      registers,
    }),
    revocationAttempts: new Counter({
      name: 'fluxgate_revocation_attempts_total',
      help: 'Requests refused because an operator revoked a certificate, key or cluster, by what was revoked.',
      labelNames: ['kind'],
      registers,
    }),
    observeRevocations(count) {
      new Gauge({
        name: 'fluxgate_revocations',
        help: 'Revocations by operators that are in force, by what is revoked.',
        labelNames: ['kind'],
        registers,
        collect() {
          for (const [kind, number] of Object.entries(count())) this.set({ kind }, number);
        },
      });
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
        help: 'Whom load turns away: 0 nobody, 1 those without certificate and token, 2 those with tokens as well.',
        registers,
        collect() {
          this.set(LOAD_LEVELS.indexOf(level()));
        },
      });
    },
    observeExpiry(count) {
      new Gauge({
        name: 'fluxgate_cluster_certificates_expiring',
        help:
          'Clusters by what their last presented certificate still lives: expired; within 1d, 7d, 14d, 30d (each includes the ' +
          'shorter ones, not the expired); more than 30 days.',
        labelNames: ['within'],
        registers,
        collect() {
          for (const [within, clusters] of Object.entries(count())) this.set({ within }, clusters);
        },
      });
    },
    observeKeyConflicts(count) {
      new Gauge({
        name: 'fluxgate_key_pin_conflicts',
        help: 'Clusters of which two keys were seen in use: GET /trust names them.',
        registers,
        collect() {
          this.set(count());
        },
      });
    },
    observeCrls(current, clock) {
      const states = () => current().states(clock.now());
      // One series for each CA that has a CRL: its key's fingerprint, as in the log's lines about the CRL.
      new Gauge({
        name: 'fluxgate_crl_next_update_timestamp_seconds',
        help: "When the CRL in force becomes stale, by the issuer's key; of several, the earliest.",
        labelNames: ['issuer'],
        registers,
        collect() {
          this.reset();
          const ends = new Map<string, number>();
          for (const { crl } of states()) {
            const issuer = crl.issuer.spkiSha256.slice(0, 16);
            ends.set(
              issuer,
              Math.min(crl.facts.nextUpdate / 1000, ends.get(issuer) ?? Number.POSITIVE_INFINITY),
            );
          }
          for (const [issuer, end] of ends) this.set({ issuer }, end);
        },
      });
      new Gauge({
        name: 'fluxgate_crls',
        help: 'CRLs by state: fresh, ending (stale soon), stale, future (not begun), missing (there was one before).',
        labelNames: ['status'],
        registers,
        collect() {
          const counts = { fresh: 0, ending: 0, stale: 0, future: 0, missing: current().missing.length };
          for (const { status } of states()) counts[status] += 1;
          for (const [status, count] of Object.entries(counts)) this.set({ status }, count);
        },
      });
    },
    contentType: () => registry.contentType,
    text: () => registry.metrics(),
  };
}
