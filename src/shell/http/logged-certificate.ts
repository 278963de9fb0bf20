import { hash } from 'node:crypto';
import { shownSubject } from '../../core/identity/shown-subject.ts';
import type { Refusal } from '../../core/identity/verdict.ts';
import type { Presented } from '../tls/peer.ts';

/** Why a certificate is refused, as the `reason` of its line. */
export const reasonOf = ({ rule, position, detail }: Refusal): string => `${rule}: ${position}: ${detail}`;

/** `certificate` of that line; what it was in words is its reason. */
export function loggedRefusal({ sha256, serial, subject, rule, position }: Refusal): object {
  return { sha256, serial, subject, refused: rule, position };
}

/** `presented`: what somebody showed who was refused before being asked who they are. Not a word about whether it would do. */
export function loggedPresented(presented: Presented | undefined): object | undefined {
  const sha256 = leafSha256(presented);
  return sha256 === undefined ? undefined : { sha256, subject: shownSubject(presented?.chain[0]) };
}

/** In hexadecimal digits; undefined: no certificate was shown, or the connection is gone. */
export function leafSha256(presented: Presented | undefined): string | undefined {
  const [leaf] = presented?.chain ?? [];
  return leaf && hash('sha256', leaf);
}
