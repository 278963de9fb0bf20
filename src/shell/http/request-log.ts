import { describePrincipal, tokenIdOf } from '../../core/identity/principal.ts';
import type { Clock } from '../clock.ts';
import type { BoundedLines } from '../edge/bounded-lines.ts';
import type { Log } from '../log.ts';
import type { Revocations } from '../revocations.ts';
import type { RecordRequest, RequestRecord } from './pipeline.ts';
import { shownPath } from './shown-path.ts';

/** The one log line of a request: who, from where, what, what was decided and by which policy, and how it ended. */
export function createRequestLog(
  log: Log,
  bounded: BoundedLines,
  clock: Clock,
  revocations: Pick<Revocations, 'attempted'>,
): RecordRequest {
  return (record, status, error) => {
    const durationMs = clock.elapsed() - record.startedMs;
    const operation = record.operation?.operationId ?? 'none';
    if (record.revocationId !== undefined) revocations.attempted(record.revocationId);

    const line = {
      request_id: record.requestId,
      source: record.source,
      principal: describePrincipal(record.principal),
      token: tokenIdOf(record.principal),
      ...certificateFields(record),
      method: record.method,
      path: shownPath(record.path, record.operation),
      operation,
      cluster: record.clusterDns,
      object: record.objectId,
      ...(record.revocationId === undefined ? {} : { revocation: record.revocationId }),
      ...(record.allowsSecrets ? { override: 'allow-suspected-secrets' } : {}),
      ...(record.decision === undefined
        ? {}
        : { decision: record.decision.allowed ? 'allow' : 'deny', policies: record.decision.policies }),
      status,
      duration_ms: Math.round(durationMs * 1_000) / 1_000,
      ...(error === undefined ? {} : { error: error.code, reason: error.logged ?? error.message }),
      ...(error?.details === undefined ? {} : { details: error.details.slice(0, 5) }),
    };
    // Whoever is nobody, and whoever asks too much, may do so without end.
    const endless = record.principal.kind === 'anonymous' || error?.code === 'rate_limited';
    if (error === undefined && endless) bounded.info('answered', line);
    else if (error === undefined) log.info(line, 'answered');
    else if (error.cause !== undefined && error.code === 'unavailable') {
      log.error({ ...line, err: error.cause }, 'could not answer');
    } else if (endless) bounded.warn('refused', line);
    else log.warn(line, 'refused');
  };
}

function certificateFields(record: RequestRecord): object {
  const { verdict } = record;
  if (verdict === undefined) return {};
  if (!verdict.accepted) {
    const { sha256, serial, rule, position, detail } = verdict.refusal;
    const would =
      verdict.wouldBe === undefined ? {} : { would_be_accepted: describePrincipal(verdict.wouldBe) };
    return { certificate: { sha256, serial, refused: rule, position, detail, ...would } };
  }
  const { sha256, serial, issuer, notAfter } = verdict.principal.certificate;
  return { certificate: { sha256, serial, issuer, not_after: new Date(notAfter).toISOString() } };
}
