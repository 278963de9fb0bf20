import { type ErrorDetail, FluxgateError } from '../../../core/errors.ts';
import { issuerKeyOf } from '../../../core/identity/issuer-key.ts';
import {
  fieldsOfTarget,
  type RequestedTarget,
  readRevocationTarget,
} from '../../../core/identity/revocation-target.ts';
import type { Trust } from '../../../core/identity/trust.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { parseDateTime } from '../../../core/rfc3339.ts';
import type { KnownRevocation, RevocationOrder } from '../../revocations.ts';
import { numberOf, pageHeaders } from '../parameters.ts';
import type { Handler, HandlerParts } from './handlers.ts';
import { nameWarnings } from './revoked-name.ts';

/** What operators take back before its time: certificates, keys, whole clusters. */
export function revocationsHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  const { revocations, clock } = parts;
  switch (operation.operationId) {
    case 'createRevocation':
      return async ({ audited, body, permits }) => {
        const { trust } = parts.trust.snapshot;
        const order = readOrder(body as RevocationBody, trust, clock.now());
        const proof = await revocations.revoke(order, audited);
        // Afterwards, so that nothing delays what is urgent; and only for whom a plan of trust tells each name of the fleet.
        const warnings =
          order.target.kind === 'cluster_dns' && permits({ kind: 'trust' }, 'planTrust')
            ? await nameWarnings(parts.store, order.target.dns, parts.log)
            : [];
        return {
          status: 201,
          body: {
            ...shown(proof),
            connections_closed: proof.inForce?.connectionsClosed ?? 0,
            ...(warnings.length === 0 ? {} : { warnings }),
          },
          headers: { Location: `${operation.path}/${proof.id}` },
        };
      };
    case 'listRevocations':
      return async ({ parameters: { query } }) => {
        const limit = numberOf(query['limit'], LIMITS.pageItemsMax);
        const offset = numberOf(query['offset'], 0);
        const { items, total } = await revocations.list({ limit, offset });
        const headers = pageHeaders(operation.path, {}, { limit, offset, items: items.length, total });
        return { status: 200, body: items.map(shown), headers };
      };
    case 'getRevocation':
      return async ({ parameters }) => {
        const revocation = await revocations.get(parameters.path['id'] ?? '');
        if (revocation === undefined) {
          throw new FluxgateError('not_found', 'There is no revocation of this id.');
        }
        return { status: 200, body: shown(revocation) };
      };
    case 'liftRevocation':
      return async ({ audited, parameters, identifyAgain }) => {
        const lifted = await revocations.lift(parameters.path['id'] ?? '', audited, identifyAgain);
        return { status: 200, body: shown(lifted) };
      };
    default:
      return undefined;
  }
}

/** Of the document's schema RevocationOrder. */
interface RevocationBody extends RequestedTarget {
  readonly reason: string;
  readonly until?: string;
}

/** All certificates of one issuer are meant, so it must be known which it is. */
function issuerKeyIn(trust: Trust, sha256: string): string | undefined {
  const certificates = [...trust.cluster.certificates, ...(trust.operator?.certificates ?? [])];
  const issuer = certificates.find((certificate) => certificate.sha256 === sha256);
  return issuer === undefined ? undefined : issuerKeyOf(issuer);
}

function readOrder(body: RevocationBody, trust: Trust, nowMs: number): RevocationOrder {
  const { target, details } = readRevocationTarget(body, (sha256) => issuerKeyIn(trust, sha256));
  const problems: ErrorDetail[] = [...details];
  const untilMs = body.until === undefined ? undefined : parseDateTime(body.until);
  if (body.until !== undefined && untilMs === undefined) {
    problems.push({ field: '/until', problem: 'must be a moment that exists, as in 2030-01-31T12:00:00Z' });
  } else if (untilMs !== undefined && untilMs <= nowMs) {
    problems.push({ field: '/until', problem: 'must be in the future' });
  }
  if (target === undefined || problems.length > 0) {
    throw new FluxgateError('validation_error', 'The revocation is not valid; see details.', {
      details: problems,
    });
  }
  return { target, reason: body.reason, untilMs };
}

const dateTime = (ms: number): string => new Date(ms).toISOString();

/** As in the document's schema Revocation: what is not so is left out. */
function shown(revocation: KnownRevocation): Record<string, unknown> {
  const { id, target, reason, state, untilMs, inForce, lifted, lastAttemptMs } = revocation;
  return {
    id,
    ...fieldsOfTarget(target),
    reason,
    state,
    ...(untilMs === undefined ? {} : { until: dateTime(untilMs) }),
    created_at: dateTime(revocation.createdMs),
    created_by: revocation.createdBy,
    ...(inForce === undefined ? {} : { in_force_at: dateTime(inForce.sinceMs) }),
    ...(lifted === undefined ? {} : { lifted_at: dateTime(lifted.atMs), lifted_by: lifted.by }),
    attempts: revocation.attempts,
    ...(lastAttemptMs === undefined ? {} : { last_attempt_at: dateTime(lastAttemptMs) }),
  };
}
