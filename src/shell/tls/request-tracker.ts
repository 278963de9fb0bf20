import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';

export interface RequestTracker {
  add(socket: TLSSocket): void;
  begin(request: IncomingMessage, response: ServerResponse): void;
  retire(lost: (socket: TLSSocket) => boolean): Generator<void, number>;
  /** Whether its handshake is done and it is still open. */
  knows(socket: TLSSocket): boolean;
  /** True: the socket waits for answers, and ends when it has them. */
  endAfterAnswers(socket: TLSSocket): boolean;
}

/** Which connections are waiting for an answer: what was admitted is answered, and nothing after it. */
export function trackRequests(): RequestTracker {
  const inFlight = new Map<TLSSocket, Set<IncomingMessage>>();
  const retired = new WeakSet<TLSSocket>();
  return {
    add(socket) {
      inFlight.set(socket, new Set());
      socket.once('close', () => inFlight.delete(socket));
    },
    begin(request, response) {
      const socket = request.socket as TLSSocket;
      const requests = inFlight.get(socket);
      requests?.add(request);
      response.once('close', () => {
        requests?.delete(request);
        if (requests?.size === 0 && retired.has(socket)) socket.end();
      });
    },
    knows: (socket) => inFlight.has(socket),
    endAfterAnswers(socket) {
      const requests = [...(inFlight.get(socket) ?? [])];
      // Where a body is still to come, it is that request which is malformed, and nobody else will answer it.
      const waits = requests.length > 0 && requests.every(({ complete }) => complete);
      if (waits) retired.add(socket);
      return waits;
    },
    *retire(lost) {
      let count = 0;
      for (const [socket, requests] of [...inFlight]) {
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
