import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as after } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { LIMITS } from '../../core/limits.ts';

const SENT_LOOK_MS = 5;

export interface RequestTracker {
  add(socket: TLSSocket): void;
  /** Calls `answer` when it is this request's turn, which never comes behind an answer that ends the connection. */
  begin(request: IncomingMessage, response: ServerResponse, answer: () => void): void;
  retire(lost: (socket: TLSSocket) => boolean): Generator<void, number>;
  /** Resolves once peers have taken all that was written to them, or some have not for too long. */
  sent(): Promise<void>;
  /** Whether its handshake is done and it is still open. */
  knows(socket: TLSSocket): boolean;
  /**
   * To be called every `LIMITS.socketIdleLookMs`. Ends whoever neither sends nor takes anything for a minute, as Node's own timer does it: a
   * poll is over long before, and what is still there gets the timer, again where Node took it off for the request after a pause. And it
   * ends whoever asks for nothing for as long, whatever octets trickle in: empty lines, or what follows on octets that were no request.
   */
  look(): void;
  /** True: the socket waits for answers, and ends when it has them. */
  endAfterAnswers(socket: TLSSocket): boolean;
}

class Connection {
  /** In the order of their coming. */
  readonly requests = new Map<IncomingMessage, () => void>();
  /** In a row at which nothing was asked for. */
  idleLooks = 0;
}

const IDLE_LOOKS_MAX = LIMITS.socketIdleTimeoutMs / LIMITS.socketIdleLookMs;

/**
 * Which connections are waiting for an answer: what was admitted is answered, and nothing after it. Of pipelined requests one is
 * begun when the one before is answered: each is judged by the trust of its moment, and a thousand that come in one segment
 * behind a worthless certificate cost one judgement and one line.
 */
export function trackRequests(): RequestTracker {
  const inFlight = new Map<TLSSocket, Connection>();
  const retired = new WeakSet<TLSSocket>();
  const forget = function (this: TLSSocket): void {
    inFlight.delete(this);
  };
  // One for all, as is `forget`.
  const answered = function (this: ServerResponse): void {
    const socket = this.req.socket as TLSSocket;
    const requests = inFlight.get(socket)?.requests;
    // The connection was forgotten before.
    if (requests === undefined) return;
    requests.delete(this.req);
    const [next] = requests;
    if (next === undefined || (retired.has(socket) && !next[0].complete)) {
      if (retired.has(socket)) socket.destroySoon();
      // Behind an answer that ends the connection nothing can be written any more.
    } else if (socket.writable) next[1]();
  };
  return {
    add(socket) {
      inFlight.set(socket, new Connection());
      socket.on('close', forget);
    },
    begin(request, response, answer) {
      const socket = request.socket as TLSSocket;
      const connection = inFlight.get(socket);
      // A connection that is gone has nobody to answer.
      if (connection === undefined) return;
      connection.idleLooks = 0;
      const { requests } = connection;
      // Each would be kept for as long as the first one takes, and a stream of events never ends.
      if (retired.has(socket) || requests.size > LIMITS.pipelinedRequestsMax) {
        retired.add(socket);
        socket.pause();
        return;
      }
      requests.set(request, answer);
      response.on('close', answered);
      if (requests.size === 1) answer();
    },
    knows: (socket) => inFlight.has(socket),
    look() {
      for (const [socket, connection] of inFlight) {
        if (!socket.timeout) socket.setTimeout(LIMITS.socketIdleTimeoutMs);
        connection.idleLooks = connection.requests.size > 0 ? 0 : connection.idleLooks + 1;
        if (connection.idleLooks > IDLE_LOOKS_MAX) socket.destroy();
      }
    },
    endAfterAnswers(socket) {
      const [first] = inFlight.get(socket)?.requests.keys() ?? [];
      // The first is being answered. Where its body is still to come it is malformed itself, and nobody else will answer it.
      const waits = first?.complete === true;
      if (waits) retired.add(socket);
      return waits;
    },
    async sent() {
      const end = performance.now() + LIMITS.sentMs;
      const isSending = ({ writableLength }: TLSSocket): boolean => writableLength > 0;
      while ([...inFlight.keys()].some(isSending) && performance.now() < end) await after(SENT_LOOK_MS);
    },
    *retire(lost) {
      let count = 0;
      for (const [socket, { requests }] of [...inFlight]) {
        // A connection that was just reset has nothing to be judged by any more.
        if (socket.destroyed || retired.has(socket) || !lostOrUnreadable(lost, socket)) {
          yield;
          continue;
        }
        count++;
        retired.add(socket);
        if (requests.size === 0) socket.destroy();
        yield;
      }
      return count;
    },
  };
}

/** One connection that cannot be judged must not keep the others from it: it ends. */
function lostOrUnreadable(lost: (socket: TLSSocket) => boolean, socket: TLSSocket): boolean {
  try {
    return lost(socket);
  } catch {
    return true;
  }
}
