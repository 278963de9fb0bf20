import { Counter, Gauge, type Registry } from 'prom-client';
import type { CrlSet } from '../../core/identity/crl-set.ts';
import type { RevocationKind } from '../../core/identity/revocation-target.ts';
import type { Trust } from '../../core/identity/trust.ts';
import type { Clock } from '../clock.ts';

/** How often a memory had what was asked for. */
export interface CacheCounts {
  readonly hits: number;
  readonly misses: number;
}

/** What is trusted, and what that costs. */
export interface TrustMetrics {
  readonly auditEvents: Counter<'event'>;
  readonly keyPins: Counter<'verdict'>;
  readonly reloads: Counter<'result'>;
  readonly generation: Gauge;
  readonly revocationAttempts: Counter<'kind'>;
  observeRevocations(count: () => Readonly<Record<RevocationKind, number>>): void;
  /** `count` is asked at each scrape. */
  observeExpiry(count: () => Readonly<Record<string, number>>): void;
  observeKeyConflicts(count: () => number): void;
  observeCrls(current: () => CrlSet, clock: Clock): void;
  /** `serverNotAfterMs`: since the epoch. */
  observeAuthorities(trust: () => Trust, serverNotAfterMs: () => number): void;
  observeCaches(counts: () => Readonly<Record<'decisions' | 'verdicts', CacheCounts>>): void;
}

export function createTrustMetrics(registry: Registry): TrustMetrics {
  const registers = [registry];
  return {
    auditEvents: new Counter({
      name: 'fluxgate_audit_events_total',
      help: 'What the audit trail was told besides changes, by event; rows hold many alike.',
      labelNames: ['event'],
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
      aggregator: 'max',
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
        aggregator: 'first',
        help: 'Revocations by operators that are in force, by what is revoked.',
        labelNames: ['kind'],
        registers,
        collect() {
          for (const [kind, number] of Object.entries(count())) this.set({ kind }, number);
        },
      });
    },
    observeExpiry(count) {
      new Gauge({
        name: 'fluxgate_cluster_certificates_expiring',
        aggregator: 'first',
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
        aggregator: 'first',
        help: 'Clusters of which two keys were seen in use: GET /trust names them.',
        registers,
        collect() {
          this.set(count());
        },
      });
    },
    observeCrls: (current, clock) => observeCrls(registry, current, clock),
    observeAuthorities: (trust, serverNotAfterMs) => observeAuthorities(registry, trust, serverNotAfterMs),
    observeCaches(counts) {
      new Counter({
        name: 'fluxgate_cache_lookups_total',
        help: 'What was remembered and what was worked out: decisions of policies, verdicts on certificates. Begins anew with a reload.',
        labelNames: ['cache', 'result'],
        registers,
        collect() {
          this.reset();
          for (const [cache, { hits, misses }] of Object.entries(counts())) {
            this.inc({ cache, result: 'hit' }, hits);
            this.inc({ cache, result: 'miss' }, misses);
          }
        },
      });
    },
  };
}

/** Enough of a fingerprint to find it in GET /trust and in the log. */
const SHORT_FINGERPRINT = 16;

function observeCrls(registry: Registry, current: () => CrlSet, clock: Clock): void {
  const registers = [registry];
  const states = () => current().states(clock.now());
  // One series for each CA that has a CRL: its key's fingerprint, as in the log's lines about the CRL.
  new Gauge({
    name: 'fluxgate_crl_next_update_timestamp_seconds',
    aggregator: 'first',
    help: "When the CRL in force becomes stale, by the issuer's key; of several, the earliest.",
    labelNames: ['issuer'],
    registers,
    collect() {
      this.reset();
      const ends = new Map<string, number>();
      for (const { crl } of states()) {
        const issuer = crl.issuer.spkiSha256.slice(0, SHORT_FINGERPRINT);
        ends.set(issuer, Math.min(crl.facts.nextUpdate / 1000, ends.get(issuer) ?? Number.POSITIVE_INFINITY));
      }
      for (const [issuer, end] of ends) this.set({ issuer }, end);
    },
  });
  new Gauge({
    name: 'fluxgate_crls',
    aggregator: 'first',
    help: 'CRLs by state: fresh, ending (stale soon), stale, future (not begun), missing (there was one before).',
    labelNames: ['status'],
    registers,
    collect() {
      const counts = { fresh: 0, ending: 0, stale: 0, future: 0, missing: current().missing.length };
      for (const { status } of states()) counts[status] += 1;
      for (const [status, count] of Object.entries(counts)) this.set({ status }, count);
    },
  });
}

function observeAuthorities(registry: Registry, trust: () => Trust, serverNotAfterMs: () => number): void {
  const registers = [registry];
  new Gauge({
    name: 'fluxgate_authority_not_after_timestamp_seconds',
    aggregator: 'first',
    help: 'When a certificate of the CA bundles expires, by whom it is for, its role there, and its fingerprint as in GET /trust.',
    labelNames: ['bundle', 'role', 'authority'],
    registers,
    collect() {
      this.reset();
      const { cluster, operator, observed } = trust();
      for (const [bundle, found] of Object.entries({ cluster, operator, observed })) {
        for (const role of ['anchor', 'intermediate'] as const) {
          for (const { sha256, notAfter } of found?.[`${role}s`] ?? []) {
            this.set({ bundle, role, authority: sha256.slice(0, SHORT_FINGERPRINT) }, notAfter / 1_000);
          }
        }
      }
    },
  });
  new Gauge({
    name: 'fluxgate_server_certificate_not_after_timestamp_seconds',
    aggregator: 'first',
    help: "When the gateway's own certificate expires.",
    registers,
    collect() {
      this.set(serverNotAfterMs() / 1_000);
    },
  });
}
