import type { FleetKind } from '../fleet/objects.ts';
import { operatorTokenName, type Principal } from '../identity/principal.ts';
import type { TokenKind } from '../identity/token-text.ts';
import type { Operation } from './operations.ts';
import { type Grants, grantsOfGroups, isScoped, NO_GRANTS } from './roles.ts';

/** Where in the fleet something is, as far as scopes go. */
export interface Place {
  /** '' where there is none: no such cluster, or no cluster at all. */
  readonly environment: string;
  /** `key=value` */
  readonly labels: readonly string[];
}

export const NOWHERE: Place = Object.freeze({ environment: '', labels: Object.freeze([]) });

/** What a request asks for, as far as a policy is concerned. */
export type PolicyResource =
  /** The gateway itself: health, the document. */
  | { readonly kind: 'gateway' }
  /** The fleet as a whole: lists and creation. `objectKind`: of what; '' where of everything. `place`: what a list keeps to. */
  | { readonly kind: 'fleet'; readonly objectKind: FleetKind | ''; readonly place: Place }
  /** A token that is to be made. */
  | {
      readonly kind: 'token';
      readonly tokenKind: TokenKind;
      readonly clusterDns: string | undefined;
      readonly grants: Grants | undefined;
    }
  /** What a write would do, before it is carried out; or a kept plan. `approved`: by a second person. */
  | {
      readonly kind: 'plan';
      readonly environments: readonly string[];
      readonly takesAway: boolean;
      readonly approved: boolean;
    }
  /** Who is believed and who is not: revocations, explanations, refusals. */
  | { readonly kind: 'trust' }
  /**
   * The Flux routes of one cluster, whether or not it exists; `ratcheted`: its certificate has been served before;
   * `revoked`: an operator has revoked the cluster as a whole.
   */
  | {
      readonly kind: 'cluster_inputs';
      readonly dns: string;
      readonly ratcheted: boolean;
      readonly revoked: boolean;
      readonly place: Place;
    }
  /** One object, whether or not it exists. */
  | {
      readonly kind: 'object';
      readonly objectKind: FleetKind;
      readonly id: string;
      readonly place: Place;
    };

export const WEEKDAYS = Object.freeze([
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const);

/** A moment as far as policies look at it: decisions are remembered, and these change once an hour. */
export interface PolicyMoment {
  /** 0 to 23. */
  readonly hour: number;
  readonly weekday: (typeof WEEKDAYS)[number];
}

const HOUR_MS = 3_600_000;
/** 1 January 1970 was a Thursday. */
const EPOCH_WEEKDAY = 4;
/** Never negative, also of what was before the epoch. */
const remainder = (count: number, of: number): number => ((count % of) + of) % of;

/** `nowMs`: since the epoch. UTC has no leap seconds here, as in Date, which takes a hundred times as long. */
export function momentOf(nowMs: number): PolicyMoment {
  const hours = Math.floor(nowMs / HOUR_MS);
  const weekday = WEEKDAYS[remainder(Math.floor(hours / 24) + EPOCH_WEEKDAY, 7)];
  if (weekday === undefined) throw new Error('there is no such moment');
  return { hour: remainder(hours, 24), weekday };
}

/** What is known of the request besides. */
export interface PolicyContext {
  /** An IP address; anything else is a denial. */
  readonly source: string;
  /** Whether `source` is in OPERATOR_NETWORKS. */
  readonly operatorNetwork: boolean;
  /** Its name in OPERATOR_NETWORKS, or the range where it has none; empty outside of them all. */
  readonly network: string;
  /** Of the moment of the decision, in UTC. */
  readonly moment: PolicyMoment;
  readonly credential: 'certificate' | 'token' | 'none';
  /** Whether the request asks for patches that look like secrets to be let in. Absent: no. */
  readonly allowsSecrets?: boolean;
}

/** As the schema's `Request` declares it; an address is a value of Cedar's `ip` extension. Always in this order. */
export function requestContext(context: PolicyContext): Readonly<{
  source: { __extn: { fn: 'ip'; arg: string } };
  operator_network: boolean;
  network: string;
  hour: number;
  weekday: string;
  credential: string;
  allows_secrets: boolean;
}> {
  const { source, operatorNetwork, network, moment, credential, allowsSecrets = false } = context;
  return {
    source: { __extn: { fn: 'ip', arg: source } },
    operator_network: operatorNetwork,
    network,
    hour: moment.hour,
    weekday: moment.weekday,
    credential,
    allows_secrets: allowsSecrets,
  };
}

/** The values that the shipped policies compute with: strings, truth, sets of strings. */
export type PolicyValue = string | boolean | readonly string[];

/** An entity as Cedar knows it: policies see its type, its id, its attributes, and nothing else. */
export interface PolicyEntity {
  /** With its namespace. */
  readonly type: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, PolicyValue>>;
}

/** The namespace of policy/fluxgate.cedarschema. */
export const POLICY_NAMESPACE = 'Fluxgate';

/** Only what the schema declares: serials, fingerprints and dates of the certificate are no business of a policy. */
export function principalEntity(principal: Principal): PolicyEntity {
  switch (principal.kind) {
    case 'cluster':
      return entity('Cluster', principal.dns, { dns: principal.dns });
    case 'operator':
      return operator(principal.name, principal.groups, grantsOfGroups(principal.groups));
    case 'operator_token':
      return operator(operatorTokenName(principal), [], principal.grants);
    case 'cluster_token':
      return entity('ClusterToken', principal.tokenId, { dns: principal.dns });
    case 'workload':
      return entity('Workload', JSON.stringify([principal.issuer, principal.subject]), {
        issuer: principal.issuer,
        subject: principal.subject,
        claims: principal.claims,
      });
    case 'reader':
      return entity('Reader', principal.tokenId);
    case 'writer':
      return entity('Writer', principal.tokenId);
    case 'anonymous':
      return entity('Anonymous', 'anonymous');
  }
}

function operator(name: string, groups: readonly string[], grants: Grants | undefined): PolicyEntity {
  const { roles, environments, labels } = grants ?? NO_GRANTS;
  return entity('Operator', name, {
    name,
    groups,
    states_roles: grants !== undefined,
    roles,
    scoped: grants !== undefined && isScoped(grants),
    environments,
    labels,
  });
}

export function resourceEntity(resource: PolicyResource): PolicyEntity {
  switch (resource.kind) {
    case 'gateway':
      return entity('Gateway', 'gateway');
    case 'fleet':
      return entity('Fleet', 'fleet', { kind: resource.objectKind, ...attributesOf(resource.place) });
    case 'trust':
      return entity('Trust', 'trust');
    case 'cluster_inputs':
      return entity('ClusterInputs', resource.dns, {
        dns: resource.dns,
        ratcheted: resource.ratcheted,
        revoked: resource.revoked,
        ...attributesOf(resource.place),
      });
    case 'plan': {
      const { environments, takesAway, approved } = resource;
      return entity('Plan', 'plan', { environments, takes_away: takesAway, approved });
    }
    case 'token': {
      const { roles, environments, labels } = resource.grants ?? NO_GRANTS;
      const { tokenKind: kind, clusterDns = '' } = resource;
      return entity('Token', kind, { kind, cluster: clusterDns, roles, environments, labels });
    }
    case 'object':
      // The id alone would be ambiguous: a namespace and a component may have the same one. No kind holds a slash.
      return entity('Object', `${resource.objectKind}/${resource.id}`, {
        kind: resource.objectKind,
        id: resource.id,
        ...attributesOf(resource.place),
      });
  }
}

const attributesOf = ({ environment, labels }: Place): Record<string, PolicyValue> => ({
  environment,
  labels,
});

/** What the request's path names, whether that cluster's ratchet has turned, and whether it is revoked. */
export interface RequestedNames {
  readonly clusterDns?: string | undefined;
  readonly id?: string | undefined;
  readonly ratcheted?: boolean | undefined;
  readonly revoked?: boolean | undefined;
  /** Of the cluster that the path names, or what a list keeps to. */
  readonly place?: Place | undefined;
}

/**
 * What an operation asks for. Throws where the operation needs a name that was not given: a programmer's mistake, which
 * must not become a broader resource than was asked for.
 */
export function resourceOf(operation: Operation, names: RequestedNames): PolicyResource {
  const { audience, path, kind, about, operationId } = operation;
  const { place = NOWHERE } = names;
  const missing = (what: string): Error => new Error(`${operationId}: the resource needs ${what}`);
  if (audience === 'public') return { kind: 'gateway' };
  // What a page shows is decided by the operations that it asks.
  if (about === 'page') return { kind: 'gateway' };
  if (about === 'trust') return { kind: about };
  if (about === 'fleet') return { kind: about, objectKind: '', place: NOWHERE };
  // What operators look at is the cluster's object; whether anything is there is found out by its name.
  if (audience === 'operator' && path.includes('{cluster_dns}')) {
    if (kind === undefined || names.clusterDns === undefined) throw missing('the cluster_dns of the path');
    return { kind: 'object', objectKind: kind, id: names.id ?? names.clusterDns, place };
  }
  if (path.includes('{cluster_dns}')) {
    if (names.clusterDns === undefined) throw missing('the cluster_dns of the path');
    if (names.ratcheted === undefined) throw missing('the state of the ratchet');
    if (names.revoked === undefined) throw missing('whether the cluster is revoked');
    return {
      kind: 'cluster_inputs',
      dns: names.clusterDns,
      ratcheted: names.ratcheted,
      revoked: names.revoked,
      place,
    };
  }
  if (path.includes('{id}')) {
    if (names.id === undefined) throw missing('the id of the path');
    if (kind === undefined) throw missing('x-fluxgate-kind');
    return { kind: 'object', objectKind: kind, id: names.id, place };
  }
  return { kind: 'fleet', objectKind: kind ?? '', place };
}

function entity(
  type: string,
  id: string,
  attributes: Readonly<Record<string, PolicyValue>> = {},
): PolicyEntity {
  return { type: `${POLICY_NAMESPACE}::${type}`, id, attributes };
}
