import type { Config } from '../../core/config.ts';
import { FluxgateError } from '../../core/errors.ts';
import type { Cluster } from '../../core/fleet/objects.ts';
import { isCanonicalDnsName } from '../../core/identity/names.ts';
import {
  type ClusterPrincipal,
  describePrincipal,
  isTokenPrincipal,
  type Principal,
} from '../../core/identity/principal.ts';
import type { RevokedBy } from '../../core/identity/revocation-list.ts';
import type { Refusal, Verdict } from '../../core/identity/verdict.ts';
import type { Decision } from '../../core/policy/decide.ts';
import type { Operation } from '../../core/policy/operations.ts';
import type { LiveTrust } from '../live-trust.ts';
import { REFUSED_CERTIFICATE } from '../tls/malformed.ts';
import { type Authorised, type AuthoriseParts, authorise } from './authorise.ts';
import { reasonOf } from './logged-certificate.ts';
import type { Route, Router } from './router.ts';
import type { Target } from './target.ts';

export interface AdmissionParts extends AuthoriseParts {
  readonly router: Pick<Router, 'match'>;
  readonly trust: Pick<LiveTrust, 'snapshot' | 'policy'>;
}

/** A request as far as it is known before its body is read; or one that somebody asks about. */
export interface Asked {
  readonly method: string;
  readonly target: Target;
  readonly source: string;
  /** The override for patches that look like secrets is asked for; it needs a right of its own. */
  readonly allowsSecrets: boolean;
  readonly nowMs: number;
  /** Not called before the network was checked. undefined: no certificate was presented. */
  verdict(): Verdict | undefined;
  /** Called where there is no certificate. Throws `unauthenticated` for a token that is not known. */
  withoutCertificate(operation: Operation): Principal | Promise<Principal>;
}

export type AdmissionStep = 'route' | 'cluster_dns' | 'network' | 'certificate' | 'operation' | 'policy';

/** What has been found out; complete where `admit` resolves, and as far as it came where it throws. */
export interface Admission {
  operation: Operation | undefined;
  verdict: Verdict | undefined;
  principal: Principal;
  clusterDns: string | undefined;
  objectId: string | undefined;
  /** As the store had it when it was decided about; undefined: nothing was decided by it. */
  cluster: Cluster | undefined;
  decision: Decision | undefined;
  /** The operators' revocation that refused this request. */
  revocationId: string | undefined;
  /** Made by it, as a write that was let in; absent: it changed nothing of the fleet. */
  revision?: number;
}

/**
 * May this be asked by whoever asks? The one way in: requests take it, and so does whoever wants to know why. Each step has
 * passed when `told` hears of it; the first that fails throws.
 */
export async function admit(
  parts: AdmissionParts,
  asked: Asked,
  admission: Admission,
  told?: (step: AdmissionStep, saw: string) => void,
): Promise<Operation> {
  const route = parts.router.match(asked.method, asked.target);
  if (route.found) {
    admission.operation = route.operation;
    admission.clusterDns = route.params['cluster_dns'];
    admission.objectId = route.params['id'];
  }
  told?.('route', route.found ? route.operation.operationId : 'none of openapi.yaml');
  if (admission.clusterDns !== undefined) {
    checkClusterDns(admission.clusterDns);
    told?.('cluster_dns', admission.clusterDns);
  }
  checkNetwork(parts.config, route, asked.source);
  told?.('network', asked.source);

  const ofCertificate = takeVerdict(parts.config, asked, admission);
  if (ofCertificate !== undefined) told?.('certificate', describePrincipal(ofCertificate));
  // One text for all that looks it up: that of the path is new with each request.
  if (ofCertificate?.kind === 'cluster' && ofCertificate.dns === admission.clusterDns)
    admission.clusterDns = ofCertificate.dns;
  const operation = resolveRoute(route, parts.config);
  told?.('operation', `${operation.operationId}, API_MODE=${parts.config.apiMode}`);
  admission.principal = ofCertificate ?? (await asked.withoutCertificate(operation));
  const { clusterDns } = admission;
  const { snapshot } = parts.trust;
  const revoked =
    clusterDns === undefined ? undefined : snapshot.revocations.cluster(clusterDns, asked.nowMs);
  const decided = authorise(snapshot.policy, parts, operation, {
    principal: admission.principal,
    source: asked.source,
    nowMs: asked.nowMs,
    clusterDns,
    objectId: admission.objectId,
    clusterRevoked: revoked !== undefined,
    query: asked.target.query,
    allowsSecrets: asked.allowsSecrets,
  });
  conclude(asked, admission, revoked, decided instanceof Promise ? await decided : decided);
  told?.('policy', `${admission.decision?.policies.join(', ')}: ${admission.decision?.reason}`);
  return operation;
}

/** Throws unless it is allowed. */
function conclude(
  asked: Asked,
  admission: Admission,
  revoked: RevokedBy | undefined,
  { decision, cluster }: Authorised,
): void {
  const { principal } = admission;
  admission.decision = decision;
  admission.cluster = cluster;
  if (decision.allowed) return;
  if (isTokenPrincipal(principal)) admission.revocationId = revoked?.revocationId;
  throw refusal(principal, decision, asked.allowsSecrets, revoked);
}

/**
 * Last of the rules on certificates: whose chain is right may still come with a key that its cluster has left behind. What
 * `refuse` says of a cluster's key is final; it is asked about no other verdict.
 */
export function holdToPin<V extends Verdict | undefined>(
  verdict: V,
  refuse: (cluster: ClusterPrincipal) => Refusal | undefined,
): V | Verdict {
  if (verdict?.accepted !== true || verdict.principal.kind !== 'cluster') return verdict;
  const refusal = refuse(verdict.principal);
  return refusal === undefined ? verdict : { accepted: false, refusal, validUntil: verdict.validUntil };
}

/** By the trust of this moment; throws where the certificate is not accepted. */
function takeVerdict(
  config: Config,
  asked: Pick<Asked, 'verdict'>,
  admission: Admission,
): Principal | undefined {
  admission.verdict = asked.verdict();
  if (admission.verdict?.accepted === false) admission.revocationId = admission.verdict.refusal.revocationId;
  return judgeCertificate(admission.verdict, config, admission.operation);
}

/**
 * Throws unless whoever was let in is still who they were, by the trust of this moment. Nothing is asked of the store, so that
 * it can be asked inside a transaction; what they may do was decided when they came.
 */
export async function identifyAgain(
  parts: Pick<AdmissionParts, 'config'>,
  asked: Pick<Asked, 'verdict' | 'withoutCertificate'>,
  admission: Admission,
): Promise<void> {
  const { operation, principal } = admission;
  if (operation === undefined) throw new TypeError('nobody was let in');
  const now = takeVerdict(parts.config, asked, admission) ?? (await asked.withoutCertificate(operation));
  if (describePrincipal(now) === describePrincipal(principal)) return;
  throw new FluxgateError('forbidden', 'This credential is not what it was when the request came.', {
    logged: `it was ${describePrincipal(principal)}, and is ${describePrincipal(now)}`,
  });
}

/** A name that is not in its one canonical spelling is nobody's, so it is refused before anybody is asked who they are. */
function checkClusterDns(clusterDns: string): void {
  if (isCanonicalDnsName(clusterDns)) return;
  throw new FluxgateError(
    'malformed_request',
    'The cluster_dns in the path is not a canonical DNS name: lower-case letters, digits and hyphens in labels of at ' +
      'most 63 octets, at most 253 in all, no trailing dot.',
  );
}

/** Before any credential is looked at, so that nobody outside can test a token (contract §4). */
function checkNetwork(config: Config, route: Route, source: string): void {
  if (!route.found || route.operation.audience !== 'operator' || config.apiMode === 'read-only') return;
  if (config.operatorNetworks.contains(source)) return;
  throw new FluxgateError('forbidden', 'Operator routes are not served to this network.', {
    logged: `${source} is outside OPERATOR_NETWORKS (${config.operatorNetworks.ranges.join(', ')})`,
  });
}

/** Load balancers and kubelets have no certificate of this PKI (contract: CLIENT_CERT). */
const PROBES: readonly string[] = ['getHealth', 'getReady'];

/** A certificate that was presented decides alone: refused, it never falls through to a token. */
function judgeCertificate(
  verdict: Verdict | undefined,
  config: Config,
  operation: Operation | undefined,
): Principal | undefined {
  if (verdict === undefined) {
    if (config.clientCert === 'optional' || PROBES.includes(operation?.operationId ?? '')) return undefined;
    throw new FluxgateError('unauthenticated', 'Present a client certificate: this gateway requires one.');
  }
  if (verdict.accepted) return verdict.principal;
  throw new FluxgateError(REFUSED_CERTIFICATE.code, REFUSED_CERTIFICATE.message, {
    logged: reasonOf(verdict.refusal),
  });
}

const WRITES: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE'];

function resolveRoute(route: Route, config: Config): Operation {
  if (route.found) {
    if (route.operation.audience !== 'operator' || config.apiMode === 'crud') return route.operation;
    if (WRITES.includes(route.operation.method)) {
      throw new FluxgateError('method_not_allowed', 'This gateway is read-only (API_MODE).', {
        headers: { Allow: '' },
      });
    }
  } else if (route.allow.length > 0) {
    throw new FluxgateError('method_not_allowed', `This path has: ${route.allow.join(', ')}.`, {
      headers: { Allow: route.allow.join(', ') },
    });
  }
  throw new FluxgateError('not_found', 'There is no such route. GET /openapi.yaml lists them.');
}

export const CHALLENGE = Object.freeze({ 'WWW-Authenticate': 'Bearer realm="fluxgate"' });

/** `allowsSecrets`: the request came with Allow-Suspected-Secrets, which few may send who may do all the rest of it. */
export function refusal(
  principal: Principal,
  decision: Decision,
  allowsSecrets: boolean,
  revoked?: RevokedBy,
): FluxgateError {
  if (principal.kind === 'anonymous') {
    return new FluxgateError('unauthenticated', 'Present a client certificate or a token.', {
      headers: CHALLENGE,
      logged: decision.reason,
    });
  }
  const message = 'This credential is known, but it may not do this.';
  const secrets = ' By the shipped policies, Allow-Suspected-Secrets is for the group or role security only.';
  return new FluxgateError('forbidden', allowsSecrets ? message + secrets : message, {
    logged: revoked === undefined ? decision.reason : `${decision.reason}; ${revoked.detail}`,
  });
}
