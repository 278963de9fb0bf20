import { FluxgateError } from '../../core/errors.ts';
import {
  type AnonymousPrincipal,
  describePrincipal,
  isTokenPrincipal,
  type Principal,
} from '../../core/identity/principal.ts';
import type { Verdict } from '../../core/identity/verdict.ts';
import { LIMITS } from '../../core/limits.ts';
import { addressKey } from '../../core/networks.ts';
import { type Buckets, failureDelayMs, type Rate, sheds } from '../../core/rate.ts';
import type { Clock } from '../clock.ts';
import type { Siblings } from '../workers/siblings.ts';
import type { Load } from './load.ts';
import type { MakeBuckets } from './shared-buckets.ts';
import { type Standing, shareStanding } from './standing.ts';

/** Why a request is turned away with 429, or with 503 under load. A closed list: the metric's label. */
export type LimitReason =
  | 'anonymous'
  | 'token_bearers'
  | 'refused_certificates'
  | 'principal'
  | 'failed_tokens'
  | 'load_anonymous'
  | 'load_tokens';

export interface ThrottleParts {
  readonly clock: Clock;
  readonly standing: Standing;
  readonly load: Pick<Load, 'level'>;
  readonly clustersPerAddressMax: number;
  readonly buckets: MakeBuckets;
  readonly siblings: Siblings;
  limited(reason: LimitReason): void;
}

/** What is known of a request before anybody has looked at a credential. */
export interface Arrival {
  readonly source: string;
  /** Of the certificate that was presented in the handshake; undefined: none was. */
  readonly verdict: Verdict | undefined;
  /** There is an Authorization header, whatever is in it. */
  readonly token: boolean;
  /** Health and readiness: whoever asks would restart what is only busy. */
  readonly probe: boolean;
}

/** How much of the gateway one peer gets. All of it throws `rate_limited`, or `unavailable` under load. */
export interface Throttle {
  /**
   * Before any step of the request, because most of what is refused is refused before it is known who asks. An accepted certificate
   * counts for its principal and for nobody else at its address.
   */
  arrive(arrival: Arrival): void;
  /**
   * A token was looked up; undefined: it is not known. Returns the milliseconds for which its refusal is to be held back. Once an
   * address has failed too often, the answer no longer depends on the token, unless that very token was accepted from there.
   */
  tokenSeen(source: string, principal: Principal | undefined): number;
  /** It is known whose token it was, and that they may. */
  admitted(principal: Principal): void;
  /** Whoever was known entitles the address, whatever became of the request. */
  known(source: string): void;
  /** Holds an answer back; at once when there are too many of them. */
  hold(delayMs: number): Promise<void>;
}

export function createThrottle(parts: ThrottleParts): Throttle {
  const { clock, standing, load, buckets, siblings, clustersPerAddressMax: clusters } = parts;
  const perCluster = LIMITS.tokenRequestsPerCluster;
  const anonymous = buckets('anonymous', LIMITS.anonymousRequests);
  const bearers: Rate = {
    burst: Math.max(perCluster.burst * clusters, LIMITS.anonymousRequests.burst),
    perSecond: Math.max(perCluster.perSecond * clusters, LIMITS.anonymousRequests.perSecond),
  };
  const tokenBearers = buckets('token_bearers', bearers);
  const refusedCertificates = buckets('refused_certificates', bearers);
  const failures = buckets('failed_tokens', {
    burst: LIMITS.failedTokensBurst,
    perSecond: LIMITS.failedTokensPerSecond,
  });
  const principals = createPrincipalBuckets(buckets);
  /** A token's principal that was accepted from an address. */
  const acceptedTokens = shareStanding('accepted_tokens', LIMITS.acceptedTokensMax, clock, siblings);
  let held = 0;

  /** `whose`: of a limit that is somebody's own. The request was turned away before its line has a principal. */
  const limited = (reason: LimitReason, waitMs: number, whose?: KnownPrincipal): FluxgateError => {
    parts.limited(reason);
    return new FluxgateError('rate_limited', 'Too many requests. Wait as long as Retry-After says.', {
      headers: retryAfter(waitMs),
      logged: `limit: ${reason}${whose === undefined ? '' : `, of ${describePrincipal(whose)}`}`,
    });
  };
  const shed = (reason: LimitReason): FluxgateError => {
    parts.limited(reason);
    return new FluxgateError('unavailable', 'Fluxgate has too much to do now. Try again later.', {
      headers: retryAfter(LIMITS.shedRetryAfterMs),
      logged: `limit: ${reason}`,
    });
  };
  const takeFrom = (buckets: Buckets, key: string, reason: LimitReason, whose?: KnownPrincipal): void => {
    const waitMs = buckets.take(key, clock.elapsed());
    if (waitMs > 0) throw limited(reason, waitMs, whose);
  };
  const takePrincipal = (principal: KnownPrincipal): void =>
    takeFrom(principals(principal.kind), bucketKeyOf(principal), 'principal', principal);

  return {
    arrive({ source, verdict, token, probe }) {
      if (verdict?.accepted === true) takePrincipal(verdict.principal);
      else if (verdict !== undefined) {
        // 495 says what to mend and ends the connection, so honest ones are as few as handshakes.
        takeFrom(refusedCertificates, addressKey(source), 'refused_certificates');
      } else if (token) {
        if (sheds(load.level, 'tokens')) throw shed('load_tokens');
        takeFrom(tokenBearers, addressKey(source), 'token_bearers');
      } else {
        if (sheds(load.level, 'anonymous') && !probe) throw shed('load_anonymous');
        takeFrom(anonymous, addressKey(source), 'anonymous');
      }
    },
    tokenSeen(source, principal) {
      const key = addressKey(source);
      const now = clock.elapsed();
      const pair = principal === undefined ? undefined : `${key} ${describePrincipal(principal)}`;
      const acceptedBefore = pair !== undefined && acceptedTokens.isEntitled(pair);
      const over = failures.used(key, now) - (LIMITS.failedTokensBurst - 1);
      if (over > 0 && !acceptedBefore) {
        throw limited('failed_tokens', (over / LIMITS.failedTokensPerSecond) * 1_000);
      }
      if (pair !== undefined) {
        acceptedTokens.entitle(pair);
        return 0;
      }
      failures.take(key, now);
      return failureDelayMs(failures.used(key, now));
    },
    admitted(principal) {
      if (isTokenPrincipal(principal)) takePrincipal(principal);
    },
    known: (source) => standing.entitle(addressKey(source)),
    async hold(delayMs) {
      if (delayMs <= 0 || held >= LIMITS.delayedAnswersMax) return;
      held++;
      await new Promise<void>((resolve) => {
        setTimeout(resolve, delayMs);
      });
      held--;
    },
  };
}

/** Whole seconds, never 0 (RFC 9110 §10.2.3). */
function retryAfter(waitMs: number): Readonly<Record<string, string>> {
  return { 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1_000))) };
}

type KnownPrincipal = Exclude<Principal, AnonymousPrincipal>;
/** Within buckets of its kind alone. These names are texts that are there already. */
function bucketKeyOf(principal: KnownPrincipal): string {
  if (principal.kind === 'cluster') return principal.dns;
  return principal.kind === 'operator' ? principal.name : describePrincipal(principal);
}

type KnownKind = KnownPrincipal['kind'];

const RATE_OF: Readonly<Record<KnownKind, Rate>> = Object.freeze({
  cluster: LIMITS.clusterRequests,
  cluster_token: LIMITS.clusterRequests,
  operator: LIMITS.operatorRequests,
  operator_token: LIMITS.operatorRequests,
  workload: LIMITS.operatorRequests,
  reader: LIMITS.sharedTokenRequests,
  writer: LIMITS.sharedTokenRequests,
});

/** Apart for each kind: many of one do not push out another. */
function createPrincipalBuckets(make: MakeBuckets): (kind: KnownKind) => Buckets {
  const made = new Map<KnownKind, Buckets>();
  return (kind) => {
    let ofKind = made.get(kind);
    if (ofKind === undefined) {
      ofKind = make(kind, RATE_OF[kind]);
      made.set(kind, ofKind);
    }
    return ofKind;
  };
}
