import { describePrincipal, isTokenPrincipal, type Principal } from '../identity/principal.ts';

/** What the audit trail tells: who did what to what, from where, by which right, and how it ended. */

export const AUDIT_EVENTS = Object.freeze([
  /** The fleet was changed; a revision. */
  'fleet_changed',
  'revocation_made',
  'revocation_lifted',
  'token_made',
  'token_revoked',
  /** A write needs a second person; its plan is kept. */
  'plan_requested',
  'plan_approved',
  /** The keys that a cluster is known by were forgotten. */
  'pin_reset',
  /** Somebody known asked for what they may not have: 403. */
  'denied',
  /** No credential, or one that is not known: 401. */
  'unauthenticated',
  /** A certificate was not accepted: 495. */
  'certificate_refused',
  /** Somebody signed in to the status page with a token, and out again. */
  'signed_in',
  'signed_out',
  'reloaded',
  'reload_refused',
  'started',
  'stopped',
  /** The store was put back to a backup. */
  'restored',
] as const);
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/** Who did it, by which credential; never the credential. */
export interface AuditActor {
  /** As in the log: `operator:sam@example.com`. */
  readonly principal: string;
  readonly credential: 'certificate' | 'token' | 'none';
  /** Of the certificate. */
  readonly sha256?: string;
  readonly serial?: string;
  readonly token_id?: string;
}

/** What is known of the request that an entry is about. */
export interface AuditRequest {
  readonly actor: AuditActor;
  readonly source: string;
  readonly request_id: string;
  readonly operation: string;
  readonly decision?: 'allow' | 'deny';
  readonly policies?: readonly string[];
}

export interface AuditEntry extends Partial<AuditRequest> {
  /** RFC 3339, UTC, with milliseconds. */
  readonly at: string;
  readonly event: AuditEvent;
  /** `cluster/us-east-1`, `revocation/rev-…`: what it was done to. */
  readonly object?: string;
  readonly reason?: string;
  /** More of what happened, by the kind of event. */
  readonly details?: object;
  /** Of many alike: how many, the first of them at `since`. */
  readonly count?: number;
  readonly since?: string;
}

export function actorOf(principal: Principal): AuditActor {
  const named = describePrincipal(principal);
  if (principal.kind === 'anonymous') return { principal: named, credential: 'none' };
  if (isTokenPrincipal(principal)) {
    // A pipeline's token has no id that would be worth keeping: its principal says issuer and subject.
    const id = 'tokenId' in principal ? { token_id: principal.tokenId } : {};
    return { principal: named, credential: 'token', ...id };
  }
  const { sha256, serial } = principal.certificate;
  return { principal: named, credential: 'certificate', sha256, serial };
}

/** What the gateway does by itself: seeds, reloads, its own start. */
export const OURSELVES: AuditActor = Object.freeze({ principal: 'fluxgate', credential: 'none' });
