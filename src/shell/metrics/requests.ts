import { Counter, type Registry } from 'prom-client';
import { TAKEN } from '../../core/liveness/reports.ts';
import { type CounterTally, createCounterTally, createHistogramTally, type HistogramTally } from './tally.ts';

/** What became of requests. */
export interface RequestMetrics {
  readonly requests: CounterTally<'operation' | 'status' | 'principal'>;
  readonly requestSeconds: HistogramTally<'operation'>;
  readonly polls: CounterTally<'route' | 'result'>;
  readonly refusals: Counter<'reason' | 'policy'>;
  readonly authentications: CounterTally<'method' | 'result'>;
  readonly limitedRequests: Counter<'reason'>;
  readonly refusedCertificates: Counter<'rule'>;
  readonly observedCertificates: Counter;
  readonly certificateExpiration: HistogramTally<never>;
  readonly reports: Counter<'taken'>;
}

const DAY = 86_400;

export function createRequestMetrics(registry: Registry): RequestMetrics {
  const registers = [registry];
  const reports = new Counter({
    name: 'fluxgate_reports_total',
    help: 'Events that clusters reported, by what they say: a component was applied, failed, is on its way; or nothing that is kept.',
    labelNames: ['taken'],
    registers,
  });
  for (const taken of TAKEN) reports.inc({ taken }, 0);
  return {
    requests: createCounterTally({
      name: 'fluxgate_requests_total',
      help: 'Requests answered, by operation, HTTP status and kind of principal.',
      labelNames: ['operation', 'status', 'principal'],
      registers,
    }),
    requestSeconds: createHistogramTally({
      name: 'fluxgate_request_duration_seconds',
      help: 'From the complete request head to the answer, by operation.',
      labelNames: ['operation'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    polls: createCounterTally({
      name: 'fluxgate_polls_total',
      help: "Requests for a cluster's inputs, by route and by what became of them; those of operators are not polls.",
      labelNames: ['route', 'result'],
      registers,
    }),
    refusals: new Counter({
      name: 'fluxgate_refusals_total',
      help: 'Requests refused for who asked (401, 403, 495), by reason and, where policies decided, by the first of those.',
      labelNames: ['reason', 'policy'],
      registers,
    }),
    authentications: createCounterTally({
      name: 'fluxgate_authentications_total',
      help: 'Requests by how they said who they are, and whether it was believed; public routes without a credential are not counted.',
      labelNames: ['method', 'result'],
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
    observedCertificates: new Counter({
      name: 'fluxgate_client_certificates_observed_total',
      help: 'Requests refused (495) whose certificate the CA in CLUSTER_CA_OBSERVE_FILE would have let in.',
      registers,
    }),
    certificateExpiration: createHistogramTally({
      name: 'fluxgate_client_certificate_expiration_seconds',
      help: 'How long the accepted certificate of a request still lives.',
      labelNames: [],
      buckets: [
        3_600,
        6 * 3_600,
        DAY,
        2 * DAY,
        4 * DAY,
        7 * DAY,
        14 * DAY,
        30 * DAY,
        60 * DAY,
        90 * DAY,
        365 * DAY,
      ],
      registers,
    }),
    reports,
  };
}
