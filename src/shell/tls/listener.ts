import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import { type SecureContext, TLSSocket, Server as TlsServer } from 'node:tls';
import type { ListenAddress } from '../../core/config-values.ts';
import { StartupError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { Linked, LinkedList } from '../../core/linked-list.ts';
import { canonicalAddress, type Networks } from '../../core/networks.ts';
import type { ProxyRefusal } from '../../core/proxy-protocol.ts';
import type { Gate } from '../edge/gate.ts';
import { listenFailure } from '../listen-failure.ts';
import { inSlices } from '../slices.ts';
import { type Agreed, agreedOn } from './agreed.ts';
import { letGo } from './let-go.ts';
import { OfSocket } from './of-socket.ts';
import { awaitProxyHeader } from './proxy-header.ts';
import { trackRequests } from './request-tracker.ts';

/** A source is a canonical address, or this where the peer was gone before it could be asked for: it is in no network. */
const UNKNOWN_SOURCE = 'unknown';

export interface ListenerEvents {
  request(request: IncomingMessage, response: ServerResponse, source: string): void;
  /** Bytes that never became a request; the receiver answers or destroys the socket. */
  malformed(error: NodeJS.ErrnoException, socket: Socket, answerable: boolean, source: string): void;
  handshakeDone(agreed: Agreed): void;
  handshakeFailed(reason: string, source: string): void;
  /** `proxy`: the peer, which is in TRUSTED_PROXIES. */
  proxyHeaderRefused(reason: ProxyRefusal, proxy: string): void;
  /** One connection more than there may be. */
  dropped(): void;
}

export interface ListenerOptions {
  /** Peers that begin with a PROXY protocol header; undefined: nobody. */
  readonly trustedProxies: Networks | undefined;
  readonly connectionsMax: number;
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

/** One of TCP; known by that socket, and by the TLS socket on it. */
class Connection extends Linked {
  readonly socket: Socket;
  source = UNKNOWN_SOURCE;

  constructor(socket: Socket) {
    super();
    this.socket = socket;
  }
}

/** The HTTPS listener. Client certificates are asked for and judged in HTTP, never by failing the handshake. */
export function createListener(
  context: SecureContext,
  { trustedProxies, connectionsMax }: ListenerOptions,
  gate: Gate,
  events: ListenerEvents,
): Listener {
  const server = createServer({
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    // None, which 0 would not say: the gate ends handshakes, without a timer for each, and none is made longer by octets that trickle in.
    handshakeTimeout: -1,
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
    // A call into the system for each connection, for nothing: whoever says nothing is ended within 65 s, by the look below.
    keepAlive: false,
    noDelay: true,
  });
  server.maxHeadersCount = LIMITS.headersCountMax;
  server.maxRequestsPerSocket = LIMITS.requestsPerSocketMax;
  server.maxConnections = connectionsMax;
  // Ended by the look below: a timer of its own for each connection would be set anew at each of its reads and writes.
  server.timeout = 0;
  installContext(server, context);
  checkTransport(context);

  const open = new LinkedList<Connection>();
  const busy = trackRequests();
  const connectionOf = new OfSocket<Connection>();
  const sourceOf = (socket: Socket): string => connectionOf.get(socket)?.source ?? UNKNOWN_SOURCE;
  const handshake = takeHandshake(server);
  // One for all, as a listener of its own for each connection is one more thing to make and to collect.
  const closed = function (this: Socket): void {
    const connection = connectionOf.get(this);
    if (connection !== undefined) open.delete(connection);
    gate.left(this);
    letGo.call(this);
  };
  const enter = (connection: Connection, source: string): void => {
    const { socket } = connection;
    if (socket.destroyed || !gate.enter(socket, source)) return;
    connection.source = source;
    handshake(socket);
  };
  server.on('connection', (socket: Socket) => {
    // A peer that is gone already has no address any more; of others every error is followed by the end of the connection.
    const peer = canonicalAddress(socket.remoteAddress ?? '');
    socket.on('error', ignore);
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    if (open.size + gate.connectionsElsewhere >= connectionsMax) {
      socket.resetAndDestroy();
      events.dropped();
      return;
    }
    const connection = new Connection(socket);
    connectionOf.set(socket, connection);
    open.add(connection);
    socket.on('close', closed);
    if (trustedProxies?.contains(peer) !== true) enter(connection, peer);
    else {
      awaitProxyHeader(socket, {
        complete: (source) => enter(connection, source ?? peer),
        refused(reason) {
          socket.resetAndDestroy();
          events.proxyHeaderRefused(reason, peer);
        },
      });
    }
  });
  server.on('drop', () => events.dropped());
  server.on('secureConnection', (socket) => {
    const under = transportOf(socket);
    const connection = connectionOf.get(under);
    if (connection !== undefined) connectionOf.set(socket, connection);
    gate.shaken(under);
    busy.add(socket);
    socket.on('close', letGo);
    events.handshakeDone(agreedOn(socket));
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    events.handshakeFailed(error.code ?? error.message, sourceOf(transportOf(socket)));
    socket.destroy();
  });
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    busy.begin(request, response, () => {
      events.request(request, response, sourceOf(request.socket));
    });
  };
  server.on('request', onRequest);
  // Answering 100 only once the request is let in keeps refused peers from sending their bodies.
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', onRequest);
  const malformed = (error: NodeJS.ErrnoException, socket: TLSSocket): void => {
    // Behind a request that is being answered, an error of ours would be read as the answer to that one.
    const awaited = busy.endAfterAnswers(socket);
    events.malformed(error, socket, !awaited, sourceOf(socket));
  };
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A handshake that failed comes by here as well; it has been told of, and there is nobody to answer.
    if (!busy.knows(socket as TLSSocket)) {
      socket.destroy();
      return;
    }
    malformed(error, socket as TLSSocket);
  });
  server.on('connect', (_request, socket) => {
    malformed(Object.assign(new Error('CONNECT'), { code: 'CONNECT' }), socket as TLSSocket);
  });

  const idle = setInterval(() => busy.look(), LIMITS.socketIdleLookMs);
  idle.unref();

  return {
    get openConnections() {
      return open.size;
    },
    listen: (address) => listen(server, address),
    useContext: (next) => installContext(server, next),
    retire: (lost) => inSlices(busy.retire(lost)),
    async drain() {
      // Without what HTTP's own close adds, which cuts off those who are still to be sent the last octets of an answer (Node 26.10).
      const closed = new Promise<void>((resolve) => {
        TlsServer.prototype.close.call(server, () => resolve());
      });
      await busy.sent();
      server.close();
      server.closeIdleConnections();
      const cut = setTimeout(() => {
        for (const { socket } of open) socket.destroy();
      }, LIMITS.drainTimeoutMs);
      await closed;
      clearTimeout(cut);
      clearInterval(idle);
      gate.stop();
    },
  };
}

/**
 * TLS begins by what tls.Server listens to `connection` with. It is taken off, and called once a connection may begin: so there
 * is no second server and no second socket before it, and whoever is turned away costs no TLS. Should a later Node begin
 * otherwise, this refuses to start.
 */
function takeHandshake(server: Server): (socket: Socket) => void {
  const [begin, ...others] = server.listeners('connection');
  if (begin === undefined || others.length > 0) {
    throw new StartupError('this version of Node begins TLS differently; run the pinned version');
  }
  server.removeListener('connection', begin as (socket: Socket) => void);
  return (socket) => begin.call(server, socket);
}

/**
 * tls.Server builds its context from a fixed list of options that lacks `allowPartialTrustChain` (Node 26.10), so the
 * finished context is put in its place: docs/decisions/partial-chains.md. Should a later Node rename the property, this
 * refuses to start rather than trust less or more than configured.
 */
export function installContext(server: Server, context: SecureContext): void {
  if (!('_sharedCreds' in server)) {
    throw new StartupError('this version of Node keeps its TLS context elsewhere; run the pinned version');
  }
  (server as unknown as { _sharedCreds: SecureContext })._sharedCreds = context;
}

async function listen(server: Server, address: ListenAddress): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(listenFailure('LISTEN_ADDR', address, error));
    });
    server.listen(address.port, address.host, LIMITS.listenBacklog, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new StartupError('the listener has no TCP address');
  return bound;
}

function ignore(): void {}

/** The TCP socket that a TLS socket of a server speaks on; `checkTransport` has seen that Node keeps it there. */
const transportOf = (socket: TLSSocket): Socket =>
  (socket as unknown as { readonly _parent: Socket })._parent;

/**
 * Nothing public leads from one to the other but the four parts of the connection's address, each a call into the system. Should a
 * later Node keep it elsewhere, this refuses to start rather than serve requests of which nobody knows where they come from.
 */
function checkTransport(context: SecureContext): void {
  const under = new Socket();
  const over = new TLSSocket(under, { isServer: true, secureContext: context });
  over.on('error', ignore);
  const kept = transportOf(over) === under;
  over.destroy();
  under.destroy();
  if (!kept) {
    throw new StartupError(
      'this version of Node keeps the TCP socket of a TLS socket elsewhere; run the pinned version',
    );
  }
}
