import type { AuditEntry } from '../../../core/audit/entry.ts';
import { FluxgateError } from '../../../core/errors.ts';
import type { PinState } from '../../../core/identity/pins.ts';
import { describePrincipal } from '../../../core/identity/principal.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import type { Presentation } from '../../presentations.ts';
import type { Handler, HandlerParts } from './handlers.ts';
import { planTrust } from './trust-plan.ts';
import { trustReport } from './trust-report.ts';

/** Who is trusted, who depends on it, and what another bundle would mean. */
export function trustHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  switch (operation.operationId) {
    case 'getTrust':
      return ({ parameters }) => trustReport(parts, parameters.query);
    case 'getTrustCluster':
      return async ({ parameters }) => ({
        status: 200,
        body: await trustCluster(parts, parameters.path['cluster_dns'] ?? ''),
      });
    case 'planTrust':
      return ({ parameters, body }) => planTrust(parts, parameters.query, body);
    case 'resetTrustPin':
      return async ({ principal, audited, parameters, requestId, identifyAgain }) => {
        const clusterDns = parameters.path['cluster_dns'] ?? '';
        const at = new Date(parts.clock.now()).toISOString();
        const object = `cluster_dns/${clusterDns}`;
        const entry: AuditEntry = { at, event: 'pin_reset', ...audited, object };
        const before = await parts.sightings.pins.reset(clusterDns, entry, identifyAgain);
        if (before === undefined) {
          throw new FluxgateError('not_found', 'No key of a cluster of this name is remembered.');
        }
        const line = {
          audit: 'trust.pins.reset',
          request_id: requestId,
          by: describePrincipal(principal),
          cluster: clusterDns,
        };
        parts.log.warn({ ...line, pin: before }, "a cluster's keys were forgotten");
        return { status: 200, body: showPin(clusterDns, before) };
      };
    default:
      return undefined;
  }
}

async function trustCluster({ sightings }: HandlerParts, clusterDns: string): Promise<object> {
  const { presentations, pins } = sightings;
  await presentations.loaded();
  const shown: Record<string, unknown> = { cluster_dns: clusterDns };
  for (const credential of ['certificate', 'token', 'observed'] as const) {
    const presentation = presentations.get('cluster', clusterDns, credential);
    if (presentation !== undefined) shown[credential] = showSighting(presentation);
  }
  const pin = pins.get(clusterDns);
  if (pin !== undefined) shown['pin'] = showPin(clusterDns, pin);
  if (Object.keys(shown).length === 1) {
    throw new FluxgateError('not_found', 'Nothing was seen of a cluster of this name.');
  }
  return shown;
}

export const showTime = (ms: number): string => new Date(ms).toISOString();

export function showSighting(presentation: Presentation): object {
  const { name, certificate, tokenId, firstSeenMs, lastSeenMs, count, source, tls } = presentation;
  return {
    name,
    ...(certificate === undefined
      ? {}
      : {
          certificate: {
            sha256: certificate.sha256,
            spki_sha256: certificate.spkiSha256,
            serial: certificate.serial,
            subject: certificate.subject,
            issuer: certificate.issuer,
            anchor_sha256: certificate.anchorSha256,
            issuers_sha256: certificate.issuersSha256,
            not_after: showTime(certificate.notAfter),
          },
        }),
    ...(tokenId === undefined ? {} : { token_id: tokenId }),
    first_seen: showTime(firstSeenMs),
    last_seen: showTime(lastSeenMs),
    count,
    source,
    tls: { version: tls.version, cipher: tls.cipher, group: shownGroup(tls.group) },
  };
}

const shownGroup = (group: string | undefined): string | null => (group === 'none' ? null : (group ?? null));

export function showPin(clusterDns: string, { spkiSha256, sinceMs, retired, conflict }: PinState): object {
  return {
    cluster_dns: clusterDns,
    spki_sha256: spkiSha256,
    since: showTime(sinceMs),
    retired: retired.map((key) => ({ spki_sha256: key.spkiSha256, retired: showTime(key.retiredMs) })),
    ...(conflict === undefined
      ? {}
      : {
          conflict: {
            spki_sha256: conflict.spkiSha256,
            since: showTime(conflict.sinceMs),
            last_seen: showTime(conflict.lastMs),
            count: conflict.count,
            both_in_use: conflict.newestUsedSince,
          },
        }),
  };
}
