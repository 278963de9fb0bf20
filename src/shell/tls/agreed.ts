import type { TLSSocket } from 'node:tls';
import { groupOfSession } from '../../core/identity/tls-group.ts';

/** What both sides agreed on in the handshake. `none`: the peer was gone at once, or nothing says. */
export interface Agreed {
  /** As OpenSSL names it: `TLSv1.3`. */
  readonly version: string;
  /** IANA's name: `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** IANA's name, of a closed list: `X25519MLKEM768`; `other` for one that is not on it. */
  readonly group: string;
}

const known = new WeakMap<TLSSocket, Agreed>();

/** Asked of OpenSSL once per connection. Never throws. */
export function agreedOn(socket: TLSSocket): Agreed {
  const before = known.get(socket);
  if (before !== undefined) return before;
  const cipher: { readonly standardName: string } | undefined = socket.getCipher();
  const agreed = {
    version: socket.getProtocol() ?? 'none',
    cipher: cipher?.standardName ?? 'none',
    group: groupOf(socket),
  };
  known.set(socket, agreed);
  return agreed;
}

/**
 * Node tells the group to clients only (getEphemeralKeyInfo); on the server's side it is in the session alone, beside the
 * master secret: docs/decisions/group-from-the-session.md. This copy lives for the length of this function.
 */
function groupOf(socket: TLSSocket): string {
  let session: Buffer | null | undefined;
  try {
    session = socket.getSession();
    return session ? groupOfSession(session) : 'none';
  } catch {
    return 'none';
  } finally {
    session?.fill(0);
  }
}
