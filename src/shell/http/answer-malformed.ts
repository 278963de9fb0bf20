import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { LiveTrust } from '../live-trust.ts';
import type { Log } from '../log.ts';
import { malformedAnswer, REFUSED_CERTIFICATE } from '../tls/malformed.ts';
import { refuseSocket } from './respond.ts';

/**
 * Octets that never became a request. A certificate that OpenSSL could not digest leaves its error behind for the next read,
 * so such a connection ends here, before any request: it is refused for its certificate like every other.
 */
export function answerMalformed(
  log: Log,
  trust: LiveTrust,
  requestId: string,
  error: NodeJS.ErrnoException,
  socket: Socket,
  answerable: boolean,
): void {
  // A peer that went away said nothing; and anybody can do that often.
  if (error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const verdict =
    error.code?.startsWith('ERR_SSL_') && socket instanceof TLSSocket && !socket.destroyed
      ? trust.verdictOf(socket)
      : undefined;
  const refused = verdict?.accepted === false ? verdict.refusal : undefined;
  const { code, message } = refused === undefined ? malformedAnswer(error) : REFUSED_CERTIFICATE;
  const line = {
    request_id: requestId,
    source: socket.remoteAddress,
    error: code,
    reason: error.code,
    ...(refused === undefined ? {} : { certificate: refused }),
  };
  log.warn(line, refused === undefined ? 'refused: not a request' : 'refused');
  if (answerable) refuseSocket(socket, code, message, requestId);
}
