import { type KeyObject, sign, verify } from 'node:crypto';
import type { ChainEnd } from './chain.ts';

/** The newest row at some moment, to be kept where the store's owner cannot write: in a log, a ticket, a bucket with a lock. */
export interface AuditHead extends ChainEnd {
  /** RFC 3339, UTC. */
  readonly at: string;
  /** Base64, by the key of AUDIT_SIGNING_KEY_FILE; absent without one. */
  readonly signature?: string;
}

export function signHead(end: ChainEnd, at: string, key: KeyObject | undefined): AuditHead {
  const head = { sequence: end.sequence, hash: end.hash, at };
  if (key === undefined) return head;
  return { ...head, signature: sign(digestOf(key), signedBytes(head), key).toString('base64') };
}

export function isSignedBy(head: AuditHead, key: KeyObject): boolean {
  if (head.signature === undefined) return false;
  return verify(digestOf(key), signedBytes(head), key, Buffer.from(head.signature, 'base64'));
}

function signedBytes({ sequence, hash, at }: AuditHead): Buffer {
  return Buffer.from(`fluxgate audit head 1\n${sequence}\n${hash}\n${at}`, 'utf8');
}

/** Ed25519 hashes by itself (RFC 8032 §5.1). */
function digestOf(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
}
