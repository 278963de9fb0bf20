import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Refusal } from '../../core/identity/verdict.ts';
import type { BoundedLines } from '../edge/bounded-lines.ts';
import type { LiveTrust } from '../live-trust.ts';
import { malformedAnswer, REFUSED_CERTIFICATE } from '../tls/malformed.ts';
import type { Presented } from '../tls/peer.ts';
import { loggedPresented, loggedRefusal, reasonOf } from './logged-certificate.ts';
import { refuseSocket } from './respond.ts';

type Trust = Pick<LiveTrust, 'verdictOf' | 'shownBy'>;

export interface MalformedOctets {
  readonly error: NodeJS.ErrnoException;
  readonly socket: Socket;
  readonly answerable: boolean;
  readonly source: string;
}

/**
 * Octets that never became a request. A certificate that OpenSSL could not digest leaves its error behind for the next read,
 * so such a connection ends here, before any request: it is refused for its certificate like every other.
 */
export function answerMalformed(
  lines: BoundedLines,
  trust: Trust,
  requestId: string,
  { error, socket, answerable, source }: MalformedOctets,
): void {
  // A peer that went away said nothing; and anybody can do that often.
  if (error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const refused = error.code?.startsWith('ERR_SSL_') ? refusalOf(trust, socket) : undefined;
  const { code, message } = refused === undefined ? malformedAnswer(error) : REFUSED_CERTIFICATE;
  const line = () => ({
    request_id: requestId,
    source,
    error: code,
    ...(refused === undefined
      ? { reason: error.code, presented: loggedPresented(shownBy(trust, socket)) }
      : { reason: `${reasonOf(refused)} (${error.code})`, certificate: loggedRefusal(refused) }),
  });
  lines.warn(refused === undefined ? 'refused: not a request' : 'refused', line);
  if (answerable) refuseSocket(socket, code, message, requestId);
}

const shownBy = (trust: Trust, socket: Socket): Presented | undefined =>
  socket instanceof TLSSocket ? trust.shownBy(socket) : undefined;

/** undefined also where the connection is already gone: then there is nothing left to judge, and nobody to tell. */
function refusalOf(trust: Trust, socket: Socket): Refusal | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  try {
    const verdict = trust.verdictOf(socket);
    return verdict?.accepted === false ? verdict.refusal : undefined;
  } catch {
    return undefined;
  }
}
