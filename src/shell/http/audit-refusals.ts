import { actorOf } from '../../core/audit/entry.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Audit, RefusalEvent } from '../audit.ts';
import type { RecordRequest, RequestRecord } from './pipeline.ts';

/** Refused for who asked; what is malformed or missing is no matter of rights. */
const EVENTS: Readonly<Partial<Record<ErrorCode, RefusalEvent>>> = Object.freeze({
  forbidden: 'denied',
  unauthenticated: 'unauthenticated',
  certificate_rejected: 'certificate_refused',
});

/** Tells the audit trail of every request that was refused for who asked. */
export function auditRefusals(audit: Audit): RecordRequest {
  return (request, _status, error) => {
    const event = error === undefined ? undefined : EVENTS[error.code];
    if (error === undefined || event === undefined) return;
    audit.refused(event, requestOf(request), objectOf(request), error.logged ?? error.message);
  };
}

function requestOf(record: RequestRecord): Parameters<Audit['refused']>[1] {
  const { verdict, decision, principal } = record;
  const refused = verdict?.accepted === false ? verdict.refusal : undefined;
  const actor = actorOf(verdict?.accepted === true ? verdict.principal : principal);
  return {
    actor:
      refused === undefined
        ? actor
        : {
            principal: 'nobody',
            credential: 'certificate',
            ...present({ sha256: refused.sha256, serial: refused.serial }),
          },
    source: record.source,
    request_id: record.requestId,
    operation: record.operation?.operationId ?? 'none',
    decision: 'deny',
    policies: decision?.policies ?? [],
  };
}

function objectOf({ clusterDns, objectId, operation }: RequestRecord): string | undefined {
  if (clusterDns !== undefined) return `cluster_dns/${clusterDns}`;
  return objectId === undefined ? undefined : `${operation?.kind ?? 'object'}/${objectId}`;
}

const present = (fields: Readonly<Record<string, string | undefined>>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
