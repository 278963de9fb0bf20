import type { Config } from '../../core/config.ts';
import { isTokenPrincipal, type Principal } from '../../core/identity/principal.ts';
import type { Decision, PolicyEngine } from '../../core/policy/decide.ts';
import { momentOf, type PolicyContext, resourceOf } from '../../core/policy/entities.ts';
import type { Operation } from '../../core/policy/operations.ts';
import type { Ratchet } from '../ratchet.ts';

/** What a decision is made from, once it is known who asks for what. */
export interface AuthorisedRequest {
  /** The cluster that is asked for has been revoked as a whole. */
  readonly clusterRevoked: boolean;
  readonly principal: Principal;
  readonly source: string;
  /** Since the epoch. */
  readonly nowMs: number;
  readonly clusterDns: string | undefined;
  readonly objectId: string | undefined;
  readonly allowsSecrets: boolean;
}

/** The one way to a decision: every operation passes it, public ones too. */
export async function authorise(
  policy: PolicyEngine,
  config: Config,
  ratchet: Ratchet,
  operation: Operation,
  request: AuthorisedRequest,
): Promise<Decision> {
  const { principal, source, nowMs, clusterDns, objectId, clusterRevoked, allowsSecrets } = request;
  // Only tokens are subject to the ratchet; a poll by certificate need not ask the store for it.
  const ratcheted =
    clusterDns === undefined
      ? undefined
      : isTokenPrincipal(principal) && (await ratchet.isTurned(clusterDns));
  return policy.decide({
    principal,
    operationId: operation.operationId,
    resource: resourceOf(operation, {
      clusterDns,
      id: objectId,
      ratcheted,
      revoked: clusterRevoked,
    }),
    context: {
      source,
      ...networkOf(config, source),
      moment: momentOf(nowMs),
      credential: credentialOf(principal),
      allowsSecrets,
    },
  });
}

function credentialOf(principal: Principal): PolicyContext['credential'] {
  if (principal.kind === 'anonymous') return 'none';
  return isTokenPrincipal(principal) ? 'token' : 'certificate';
}

function networkOf(config: Config, source: string): Pick<PolicyContext, 'network' | 'operatorNetwork'> {
  const network = config.operatorNetworks.nameOf(source);
  return { network: network ?? '', operatorNetwork: network !== undefined };
}
