import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { ListenAddress } from '../../core/config.ts';
import { StartupError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../clock.ts';
import { inSlices } from '../slices.ts';

export interface ListenerEvents {
  request(request: IncomingMessage, response: ServerResponse): void;
  /** Bytes that never became a request; the receiver answers or destroys the socket. */
  malformed(error: NodeJS.ErrnoException, socket: Socket, answerable: boolean): void;
  handshakeDone(): void;
  handshakeFailed(reason: string, source: string): void;
}

export interface Listener {
  readonly openConnections: number;
  listen(address: ListenAddress): Promise<AddressInfo>;
  /** For new handshakes only: connections that are open keep the context they were made with. */
  useContext(context: SecureContext): void;
  /**
   * Ends the connections that `lost` names: idle ones as it comes to them, busy ones with the answer they are waiting for. In
   * slices, for each may have to be judged anew; one that comes meanwhile is judged by its first request. How many it ended.
   */
  retire(lost: (socket: TLSSocket) => boolean): Promise<number>;
  /** No new connections; idle ones end now, busy ones after their answer, all of them after the drain's bound. */
  drain(): Promise<void>;
}

/** The HTTPS listener. Client certificates are asked for and judged in HTTP, never by failing the handshake. */
export function createListener(context: SecureContext, clock: Clock, events: ListenerEvents): Listener {
  const server = createServer({
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: LIMITS.handshakeTimeoutMs,
    maxHeaderSize: LIMITS.headerBytesMax,
    headersTimeout: LIMITS.headersTimeoutMs,
    requestTimeout: LIMITS.requestTimeoutMs,
    connectionsCheckingInterval: LIMITS.connectionsCheckIntervalMs,
    keepAliveTimeout: LIMITS.keepAliveTimeoutMs,
    insecureHTTPParser: false,
    // The pipeline asks for it: what Node answers by itself has no request id and no line in the log.
    requireHostHeader: false,
    joinDuplicateHeaders: false,
    rejectNonStandardBodyWrites: true,
    keepAlive: true,
    noDelay: true,
  });
  server.maxHeadersCount = LIMITS.headersCountMax;
  server.maxRequestsPerSocket = LIMITS.requestsPerSocketMax;
  server.maxConnections = LIMITS.connectionsMax;
  server.timeout = LIMITS.socketIdleTimeoutMs;
  installContext(server, context);

  const open = new Set<Socket>();
  const busy = trackRequests();
  const handshakes = trackHandshakes(clock);
  server.on('connection', (socket) => {
    const name = nameOf(socket);
    open.add(socket);
    handshakes.begin(name, socket);
    socket.once('close', () => {
      open.delete(socket);
      handshakes.end(name);
    });
  });
  server.on('secureConnection', (socket) => {
    handshakes.end(nameOf(socket));
    busy.add(socket);
    events.handshakeDone();
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    events.handshakeFailed(error.code ?? error.message, socket.remoteAddress ?? 'unknown');
    socket.destroy();
  });
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    busy.begin(request, response);
    events.request(request, response);
  };
  server.on('request', onRequest);
  // Answering 100 only once the request is let in keeps refused peers from sending their bodies.
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', onRequest);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A handshake that failed comes by here as well; it has been told of, and there is nobody to answer.
    if (!busy.knows(socket as TLSSocket)) {
      socket.destroy();
      return;
    }
    // Behind a request that is being answered, an error of ours would be read as the answer to that one.
    const awaited = busy.endAfterAnswers(socket as TLSSocket);
    events.malformed(error, socket as Socket, !awaited);
  });
  server.on('connect', (_request, socket) => {
    events.malformed(Object.assign(new Error('CONNECT'), { code: 'CONNECT' }), socket as Socket, true);
  });

  return {
    get openConnections() {
      return open.size;
    },
    listen: (address) => listen(server, address),
    useContext: (next) => installContext(server, next),
    retire: (lost) => inSlices(busy.retire(lost)),
    async drain() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeIdleConnections();
      const cut = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, LIMITS.drainTimeoutMs);
      await closed;
      clearTimeout(cut);
      handshakes.stop();
    },
  };
}

/**
 * tls.Server builds its context from a fixed list of options that lacks `allowPartialTrustChain` (Node 26.10), so the
 * finished context is put in its place: docs/decisions/partial-chains.md. Should a later Node rename the property, this
 * refuses to start rather than trust less or more than configured.
 */
function installContext(server: Server, context: SecureContext): void {
  if (!('_sharedCreds' in server)) {
    throw new StartupError('this version of Node keeps its TLS context elsewhere; run the pinned version');
  }
  (server as unknown as { _sharedCreds: SecureContext })._sharedCreds = context;
}

async function listen(server: Server, address: ListenAddress): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new StartupError(
          `LISTEN_ADDR: cannot listen on ${address.host}:${address.port} (${error.code})`,
          error,
        ),
      );
    });
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new StartupError('the listener has no TCP address');
  return bound;
}

interface RequestTracker {
  add(socket: TLSSocket): void;
  begin(request: IncomingMessage, response: ServerResponse): void;
  retire(lost: (socket: TLSSocket) => boolean): Generator<void, number>;
  /** Whether its handshake is done and it is still open. */
  knows(socket: TLSSocket): boolean;
  /** True: the socket waits for answers, and ends when it has them. */
  endAfterAnswers(socket: TLSSocket): boolean;
}

/** Which connections are waiting for an answer: what was admitted is answered, and nothing after it. */
function trackRequests(): RequestTracker {
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

/** A connection's own name: the TLS socket and the TCP socket under it share nothing else that is public. */
function nameOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}|${socket.localPort}`;
}

interface HandshakeTracker {
  begin(name: string, socket: Socket): void;
  end(name: string): void;
  stop(): void;
}

/** Node's own handshake timeout restarts with each octet that trickles in; this one does not. */
function trackHandshakes(clock: Clock): HandshakeTracker {
  const begun = new Map<string, { readonly socket: Socket; readonly at: number }>();
  const sweep = setInterval(() => {
    const limit = clock.elapsed() - LIMITS.handshakeTimeoutMs;
    for (const { socket, at } of begun.values()) {
      if (at > limit) break;
      socket.destroy();
    }
  }, 1_000);
  sweep.unref();
  return {
    begin: (name, socket) => begun.set(name, { socket, at: clock.elapsed() }),
    end: (name) => begun.delete(name),
    stop: () => clearInterval(sweep),
  };
}
