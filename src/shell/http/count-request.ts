import type { FluxgateError } from '../../core/errors.ts';
import type { PrincipalKind } from '../../core/identity/principal.ts';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../metrics.ts';
import { polledRoute } from '../refused-polls.ts';
import type { RecordRequest, RequestRecord } from './pipeline.ts';

/** Counts a request when it is over: what it was, who asked and how, and what became of it. */
export function countRequests(metrics: Metrics, clock: Clock): RecordRequest {
  return (record, status, error) => {
    const operation = record.operation?.operationId ?? 'none';
    const { principal, verdict } = record;
    metrics.requests.inc({ operation, status, principal: principal.kind });
    metrics.requestSeconds.observe({ operation }, (clock.elapsed() - record.startedMs) / 1_000);
    const route = polledRoute(record.operation);
    if (route !== undefined && POLL.includes(principal.kind))
      metrics.polls.inc({ route, result: pollResult(status) });
    const authentication = authenticationOf(record, error);
    if (authentication !== undefined) metrics.authentications.inc(authentication);
    if (verdict?.accepted === true) {
      metrics.certificateExpiration.observe(
        {},
        (verdict.principal.certificate.notAfter - clock.now()) / 1_000,
      );
    } else if (verdict !== undefined) {
      metrics.refusedCertificates.inc({ rule: verdict.refusal.rule });
      if (verdict.wouldBe !== undefined) metrics.observedCertificates.inc();
    }
    if (error !== undefined) countRefusal(metrics, record, error);
  };
}

/** `anonymous`: whoever was refused before it was known who it is. */
const POLL: readonly PrincipalKind[] = ['cluster', 'cluster_token', 'reader', 'writer', 'anonymous'];

function pollResult(status: number): string {
  switch (status) {
    case 200:
      return 'served';
    case 401:
    case 403:
    case 495:
      return 'refused';
    case 404:
      return 'unknown_cluster';
    case 429:
      return 'limited';
    case 503:
      return 'unavailable';
    default:
      return 'invalid';
  }
}

const METHODS: Readonly<Record<PrincipalKind, string>> = Object.freeze({
  cluster: 'certificate',
  operator: 'certificate',
  cluster_token: 'cluster_token',
  reader: 'read_token',
  writer: 'write_token',
  operator_token: 'operator_token',
  workload: 'oidc',
  anonymous: 'none',
});

/** undefined: nobody was asked who they are. */
function authenticationOf(
  { verdict, principal, tokenRefused }: RequestRecord,
  error: FluxgateError | undefined,
): { readonly method: string; readonly result: 'accepted' | 'refused' } | undefined {
  if (verdict !== undefined)
    return { method: 'certificate', result: verdict.accepted ? 'accepted' : 'refused' };
  if (principal.kind !== 'anonymous') return { method: METHODS[principal.kind], result: 'accepted' };
  if (error?.code !== 'unauthenticated') return undefined;
  return { method: tokenRefused ? 'token' : 'none', result: 'refused' };
}

function countRefusal(
  metrics: Metrics,
  { decision, tokenRefused }: RequestRecord,
  { code }: FluxgateError,
): void {
  const refused = (reason: string, policy = ''): void => metrics.refusals.inc({ reason, policy });
  switch (code) {
    case 'certificate_rejected':
      refused('certificate');
      break;
    case 'unauthenticated':
      refused(tokenRefused ? 'token' : 'no_credential');
      break;
    case 'forbidden':
      if (decision === undefined) refused('network');
      else if (decision.allowed) refused('right_ended');
      else refused('policy', decision.policies[0] ?? 'none');
      break;
    default:
  }
}
