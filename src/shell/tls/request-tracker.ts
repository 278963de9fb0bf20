import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as after } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { LIMITS } from '../../core/limits.ts';
import { Linked, LinkedList } from '../../core/linked-list.ts';
import { OfSocket } from './of-socket.ts';

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

interface Waiting {
  readonly request: IncomingMessage;
  answer(): void;
}

class Connection extends Linked {
  readonly socket: TLSSocket;
  /** In the order of their coming; the first one is being answered. */
  readonly requests: Waiting[] = [];
  /** In a row at which nothing was asked for. */
  idleLooks = 0;
  /** Nothing more is begun on it. */
  isRetired = false;

  constructor(socket: TLSSocket) {
    super();
    this.socket = socket;
  }
}

const IDLE_LOOKS_MAX = LIMITS.socketIdleTimeoutMs / LIMITS.socketIdleLookMs;

/**
 * Which connections are waiting for an answer: what was admitted is answered, and nothing after it. Of pipelined requests one is
 * begun when the one before is answered: each is judged by the trust of its moment, and a thousand that come in one segment
 * behind a worthless certificate cost one judgement and one line.
 */
export function trackRequests(): RequestTracker {
  const connectionOf = new OfSocket<Connection>();
  const open = new LinkedList<Connection>();
  const forget = function (this: TLSSocket): void {
    const connection = connectionOf.get(this);
    if (connection !== undefined) open.delete(connection);
    connectionOf.delete(this);
  };
  // One for all, as is `forget`.
  const answered = function (this: ServerResponse): void {
    const connection = connectionOf.get(this.req.socket);
    // The connection was forgotten before.
    if (connection === undefined) return;
    const { socket, requests, isRetired } = connection;
    const index = requests.findIndex(({ request }) => request === this.req);
    if (index >= 0) requests.splice(index, 1);
    const [next] = requests;
    if (next === undefined || (isRetired && !next.request.complete)) {
      if (isRetired) socket.destroySoon();
      // Behind an answer that ends the connection nothing can be written any more.
    } else if (socket.writable) next.answer();
  };
  return {
    add(socket) {
      const connection = new Connection(socket);
      connectionOf.set(socket, connection);
      open.add(connection);
      socket.on('close', forget);
    },
    begin(request, response, answer) {
      const connection = connectionOf.get(request.socket);
      // A connection that is gone has nobody to answer.
      if (connection === undefined) return;
      connection.idleLooks = 0;
      const { requests } = connection;
      // Each would be kept for as long as the first one takes, and a stream of events never ends.
      if (connection.isRetired || requests.length > LIMITS.pipelinedRequestsMax) {
        connection.isRetired = true;
        connection.socket.pause();
        return;
      }
      requests.push({ request, answer });
      response.on('close', answered);
      if (requests.length === 1) answer();
    },
    knows: (socket) => connectionOf.get(socket) !== undefined,
    look() {
      for (const connection of open) {
        const { socket, requests } = connection;
        if (!socket.timeout) socket.setTimeout(LIMITS.socketIdleTimeoutMs);
        connection.idleLooks = requests.length > 0 ? 0 : connection.idleLooks + 1;
        if (connection.idleLooks > IDLE_LOOKS_MAX) socket.destroy();
      }
    },
    endAfterAnswers(socket) {
      const connection = connectionOf.get(socket);
      // The first is being answered. Where its body is still to come it is malformed itself, and nobody else will answer it.
      const waits = connection?.requests[0]?.request.complete === true;
      if (connection !== undefined && waits) connection.isRetired = true;
      return waits;
    },
    async sent() {
      const end = performance.now() + LIMITS.sentMs;
      const isSending = ({ socket }: Connection): boolean => socket.writableLength > 0;
      while ([...open].some(isSending) && performance.now() < end) await after(SENT_LOOK_MS);
    },
    *retire(lost) {
      let count = 0;
      for (const connection of [...open]) {
        const { socket, requests } = connection;
        // A connection that was just reset has nothing to be judged by any more.
        if (socket.destroyed || connection.isRetired || !lostOrUnreadable(lost, socket)) {
          yield;
          continue;
        }
        count++;
        connection.isRetired = true;
        if (requests.length === 0) socket.destroy();
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
