import { FluxgateError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import type { FoundRefusal, Refusals } from '../../refusals.ts';
import { numberOf, pageHeaders } from '../parameters.ts';
import { shownPath } from '../shown-path.ts';
import type { Handler, HandlerParts } from './handlers.ts';

/** What was refused lately, and why: this process's memory. */
export function refusalsHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  if (operation.operationId !== 'listRefusals') return undefined;
  return async ({ parameters: { query } }) => {
    const all = search(query, parts.refusals);
    const limit = numberOf(query['limit'], LIMITS.pageItemsMax);
    const offset = numberOf(query['offset'], 0);
    const items = all.slice(offset, offset + limit);
    const filters = Object.fromEntries(
      SEARCHED.flatMap((name) => (name in query ? [[name, String(query[name])]] : [])),
    );
    const headers = pageHeaders(operation.path, filters, {
      limit,
      offset,
      items: items.length,
      total: all.length,
    });
    return { status: 200, body: items.map(shownRefusal), headers };
  };
}

const SEARCHED = ['cluster_dns', 'certificate_sha256', 'request_id'] as const;

function search(query: Readonly<Record<string, unknown>>, refusals: Refusals): readonly FoundRefusal[] {
  const named = SEARCHED.filter((name) => query[name] !== undefined);
  const [name, ...others] = named;
  if (name === undefined || others.length > 0) {
    throw new FluxgateError('validation_error', 'A parameter is not as the API takes it; see details.', {
      details: [{ field: SEARCHED[0], problem: `give exactly one of ${SEARCHED.join(', ')}` }],
    });
  }
  const value = String(query[name]);
  switch (name) {
    case 'cluster_dns':
      return refusals.ofCluster(value);
    case 'certificate_sha256':
      return refusals.ofCertificate(value.replaceAll(':', '').toLowerCase());
    case 'request_id': {
      const request = refusals.ofRequest(value);
      return request === undefined ? [] : [{ group: request.group, knownBy: undefined }];
    }
  }
}

const dateTime = (ms: number): string => new Date(ms).toISOString();

/** As in the document's schema RememberedRefusal: what is not so is left out. */
export function shownRefusal({ group, knownBy }: FoundRefusal): Record<string, unknown> {
  const { operation, certificateSha256, rule, position, revocationId, provenCluster, requestedCluster } =
    group;
  return {
    ...(knownBy === undefined ? {} : { known_by: knownBy }),
    first_at: dateTime(group.firstMs),
    last_at: dateTime(group.lastMs),
    count: group.count,
    last_request_id: group.lastRequestId,
    status: group.status,
    error: group.error,
    reason: group.reason,
    source: group.source,
    method: group.method,
    path: shownPath(group.path, operation),
    ...(operation === undefined ? {} : { operation }),
    ...(certificateSha256 === undefined || certificateSha256 === ''
      ? {}
      : { certificate_sha256: certificateSha256 }),
    ...(rule === undefined ? {} : { rule }),
    ...(position === undefined ? {} : { position }),
    policies: group.policies,
    ...(revocationId === undefined ? {} : { revocation: revocationId }),
    ...(provenCluster === undefined ? {} : { cluster_dns: provenCluster }),
    ...(group.claimedClusters.length === 0 ? {} : { claimed_cluster_dns: group.claimedClusters }),
    ...(requestedCluster === undefined ? {} : { requested_cluster_dns: requestedCluster }),
  };
}
