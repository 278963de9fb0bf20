import type { Config } from '../../core/config.ts';
import type { FleetReader } from '../../core/fleet/access.ts';
import type { Cluster } from '../../core/fleet/objects.ts';
import { isTokenPrincipal, type Principal } from '../../core/identity/principal.ts';
import type { Decision, PolicyEngine } from '../../core/policy/decide.ts';
import { momentOf, NOWHERE, type Place, type PolicyContext, resourceOf } from '../../core/policy/entities.ts';
import type { Operation } from '../../core/policy/operations.ts';
import { placeOfCluster, placeOfQuery } from '../../core/policy/place.ts';
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
  /** Of the request's URL, without the question mark. */
  readonly query: string;
}

export interface AuthoriseParts {
  readonly config: Config;
  readonly ratchet: Ratchet;
  readonly fleet: Pick<FleetReader, 'get' | 'list'>;
}

export interface Authorised {
  readonly decision: Decision;
  /** The cluster that it was made about, as the store had it then; undefined: it was not looked for, or is not there. */
  readonly cluster: Cluster | undefined;
}

/** The one way to a decision: every operation passes it, public ones too. What asks the store for nothing is decided at once. */
export function authorise(
  policy: PolicyEngine,
  parts: AuthoriseParts,
  operation: Operation,
  request: AuthorisedRequest,
): Authorised | Promise<Authorised> {
  const { principal, clusterDns } = request;
  // Only tokens are subject to the ratchet; a poll by certificate need not ask the store for it.
  const asksRatchet = clusterDns !== undefined && isTokenPrincipal(principal);
  if (asksRatchet || dependsOnPlace(operation, request))
    return authoriseByStore(policy, parts, operation, request);
  const ratcheted = clusterDns === undefined ? undefined : false;
  return conclude(policy, parts, operation, request, ratcheted, { place: NOWHERE, id: request.objectId });
}

/** Of what depends on a place, by the committed state; and of tokens, by the ratchet. */
async function authoriseByStore(
  policy: PolicyEngine,
  parts: AuthoriseParts,
  operation: Operation,
  request: AuthorisedRequest,
): Promise<Authorised> {
  const { principal, clusterDns, objectId, query } = request;
  const ratcheted =
    clusterDns === undefined
      ? undefined
      : isTokenPrincipal(principal) && (await parts.ratchet.isTurned(clusterDns));
  if (!dependsOnPlace(operation, request)) {
    return conclude(policy, parts, operation, request, ratcheted, { place: NOWHERE, id: objectId });
  }
  if (clusterDns === undefined && !operation.path.includes('{id}')) {
    return conclude(policy, parts, operation, request, ratcheted, {
      place: placeOfQuery(query),
      id: objectId,
    });
  }
  const cluster =
    clusterDns === undefined
      ? await parts.fleet.get('cluster', objectId ?? '')
      : await clusterOfDns(parts.fleet, clusterDns);
  return conclude(policy, parts, operation, request, ratcheted, {
    place: placeOfCluster(cluster),
    id: clusterDns === undefined ? objectId : cluster?.id,
    cluster,
  });
}

function conclude(
  policy: PolicyEngine,
  { config }: AuthoriseParts,
  operation: Operation,
  request: AuthorisedRequest,
  ratcheted: boolean | undefined,
  { place, id, cluster }: Whereabouts,
): Authorised {
  const { principal, clusterDns, clusterRevoked } = request;
  const decision = policy.decide({
    principal,
    operationId: operation.operationId,
    resource: resourceOf(operation, {
      clusterDns,
      id,
      ratcheted,
      revoked: clusterRevoked,
      place,
    }),
    context: contextOf(config, request),
  });
  return { decision, cluster };
}

export function contextOf(
  config: Config,
  {
    principal,
    source,
    nowMs,
    allowsSecrets,
  }: Pick<AuthorisedRequest, 'principal' | 'source' | 'nowMs' | 'allowsSecrets'>,
): PolicyContext {
  const network = config.operatorNetworks.nameOf(source);
  return {
    source,
    network: network ?? '',
    operatorNetwork: network !== undefined,
    moment: momentOf(nowMs),
    credential: credentialOf(principal),
    allowsSecrets,
  };
}

function credentialOf(principal: Principal): PolicyContext['credential'] {
  if (principal.kind === 'anonymous') return 'none';
  return isTokenPrincipal(principal) ? 'token' : 'certificate';
}

interface Whereabouts {
  readonly place: Place;
  /** Of the object that is asked for. */
  readonly id: string | undefined;
  readonly cluster?: Cluster | undefined;
}

/** Whoever has rights by where something is asks for a cluster, or for what is a cluster's. */
const dependsOnPlace = (
  { audience, kind }: Operation,
  { principal, clusterDns }: Pick<AuthorisedRequest, 'principal' | 'clusterDns'>,
): boolean =>
  OPERATES.includes(principal.kind) &&
  (kind === 'cluster' || (clusterDns !== undefined && audience === 'flux'));

async function clusterOfDns(
  fleet: AuthoriseParts['fleet'],
  clusterDns: string,
): Promise<Cluster | undefined> {
  const { items } = await fleet.list('cluster', {
    filters: { cluster_dns: clusterDns },
    limit: 1,
    offset: 0,
  });
  return items[0];
}

/** Whose rights can depend on where something is. */
const OPERATES: readonly Principal['kind'][] = ['operator', 'operator_token', 'writer', 'workload', 'reader'];
