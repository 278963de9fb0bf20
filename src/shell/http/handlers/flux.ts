import { FluxgateError } from '../../../core/errors.ts';
import { isCatalogueKind } from '../../../core/fleet/registry.ts';
import {
  besideInputs,
  certificateText,
  renderClusterList,
  serialiseInputs,
} from '../../../core/fleet/render.ts';
import type { CertificateReference, Principal } from '../../../core/identity/principal.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import type { FluxAnswers } from '../../flux-answers.ts';
import { filtersOf, numberOf } from '../parameters.ts';
import type { Answer } from '../respond.ts';
import { takeReport } from './fleet-status.ts';
import type { Handler, HandlerParts } from './handlers.ts';

/** What Flux polls: the complete committed answer or an error, never a shortened one. */
export function fluxHandler(
  operation: Operation,
  parts: HandlerParts,
  answers: FluxAnswers,
): Handler | undefined {
  if (operation.operationId === 'listFluxClusters')
    return (call) => clusterList(parts, call.parameters.query);
  if (operation.operationId === 'reportEvent') return (call) => takeReport(parts, call);
  const { kind } = operation;
  if (kind === undefined || !isCatalogueKind(kind)) return undefined;
  return async ({ principal, parameters, header }) => {
    const asked = parameters.path['cluster_dns'] ?? '';
    // One text for all that remembers it, where there may be 100,000: that of the path is a part of something longer.
    const clusterDns = principal.kind === 'cluster' && principal.dns === asked ? principal.dns : asked;
    const answer = await answers.of(clusterDns, kind);
    if (answer === undefined) throw new FluxgateError('not_found', 'No cluster of this name is registered.');
    if (principal.kind === 'cluster') await parts.ratchet.turn(clusterDns, principal.certificate.sha256);
    parts.liveness.polled({
      clusterDns,
      kind,
      principal,
      client: header('user-agent'),
      revision: answer.revision,
      inputs: () => answer.inputs,
    });
    return inputsAnswer(answer.inputs, principal);
  };
}

/** A certificate's holder is told how long it still lives; beside `inputs`, where Flux does not look. */
function inputsAnswer(inputs: string, principal: Principal): Answer {
  if (!('certificate' in principal)) return ok(inputs);
  const { text, headers } = ownPart(principal.certificate);
  return { status: 200, body: besideInputs(inputs, text), headers };
}

/** A microsecond each time; kept for each of 100,000 certificates it would be 35 MB. */
function ownPart({ notAfter, sha256 }: CertificateReference): {
  /** As `certificateText` makes it. */
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const not_after = new Date(notAfter).toISOString();
  return {
    text: certificateText({ not_after, sha256 }),
    headers: { 'X-Client-Certificate-Not-After': not_after },
  };
}

async function clusterList(parts: HandlerParts, query: Readonly<Record<string, unknown>>): Promise<Answer> {
  const { items } = await parts.store.reader.list('cluster', {
    filters: filtersOf('cluster', query),
    limit: numberOf(query['limit'], LIMITS.fleetListItemsMax),
    offset: numberOf(query['offset'], 0),
  });
  return ok(serialiseInputs(renderClusterList(items)));
}

const ok = (body: string | Uint8Array): Answer => ({ status: 200, body });
