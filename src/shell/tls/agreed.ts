import { hash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { factsOfSession, NO_FACTS } from '../../core/identity/tls-session.ts';
import { OfSocket } from './of-socket.ts';

/** What both sides agreed on in the handshake. `none`: the peer was gone at once, or nothing says. */
export interface Agreed {
  /** As OpenSSL names it: `TLSv1.3`. */
  readonly version: string;
  /** IANA's name: `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** IANA's name, of a closed list: `X25519MLKEM768`; `other` for one that is not on it. */
  readonly group: string;
}

/** What is left of a handshake for whoever looks at the connection later. */
interface Handshake {
  readonly agreed: Agreed;
  /** SHA-256 of the certificate whose key the peer proved to hold, each character an octet; undefined: none, or nothing says. */
  readonly leafSha256: string | undefined;
}

const known = new OfSocket<Handshake>();

export function agreedOn(socket: TLSSocket): Agreed {
  return handshakeOf(socket).agreed;
}

/** Asked of OpenSSL once per connection. Never throws. */
export function handshakeOf(socket: TLSSocket): Handshake {
  const before = known.get(socket);
  if (before !== undefined) return before;
  const cipher: { readonly standardName: string } | undefined = socket.getCipher();
  const { group, leafSha256 } = readSession(socket);
  const agreed = {
    version: socket.getProtocol() ?? 'none',
    cipher: cipher?.standardName ?? 'none',
    group,
  };
  const handshake = { agreed, leafSha256 };
  known.set(socket, handshake);
  return handshake;
}

/**
 * Node tells the group to clients only (getEphemeralKeyInfo); on the server's side it is in the session alone, beside the
 * master secret: docs/decisions/group-from-the-session.md. This copy lives for the length of this function.
 */
function readSession(socket: TLSSocket): Pick<Handshake, 'leafSha256'> & Pick<Agreed, 'group'> {
  let session: Buffer | null | undefined;
  try {
    session = socket.getSession();
    const { group, certificate } = session ? factsOfSession(session) : NO_FACTS;
    return { group, leafSha256: certificate && hash('sha256', certificate, 'binary') };
  } catch {
    return { group: NO_FACTS.group, leafSha256: undefined };
  } finally {
    session?.fill(0);
  }
}
