import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { ClientCertificate, Endpoint } from './client.ts';
import { collect, type Exchange } from './raw.ts';

/** What a load balancer does: octets of its own first, then the client's TLS on the same connection. */

export interface ProxiedOptions {
  readonly certificate?: ClientCertificate;
  /** The proxy's own address. */
  readonly localAddress?: string;
  /** The request's octets; one answer is awaited. */
  readonly request: string;
}

/** A TCP connection from an address of ours. */
export async function openTcp(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const socket = connectTcp({ host: '127.0.0.1', port, localAddress }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** However it ends: in order, or by a reset. */
export async function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  socket.on('error', () => {});
  socket.resume();
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
}

/** `undefined`: the connection ended before TLS was there. Each piece of the header is a segment of its own. */
export async function throughProxy(
  endpoint: Endpoint,
  header: readonly Uint8Array[],
  options: ProxiedOptions,
): Promise<Exchange | undefined> {
  const tcp = await openTcp(endpoint.port, options.localAddress);
  tcp.on('error', () => {});
  tcp.setNoDelay(true);
  for (const piece of header) {
    tcp.write(piece);
    if (header.length > 1) await new Promise((resolve) => setImmediate(resolve));
  }
  const tls = await new Promise<TLSSocket | undefined>((resolve) => {
    const { certificate } = options;
    const socket = connectTls(
      {
        socket: tcp,
        ca: endpoint.serverCaPem,
        servername: 'localhost',
        ...(certificate === undefined ? {} : { cert: certificate.chainPem, key: certificate.keyPem }),
      },
      () => resolve(socket),
    );
    socket.once('error', () => resolve(undefined));
    tcp.once('close', () => resolve(undefined));
  });
  if (tls === undefined) return undefined;
  const done = collect(tls, 1);
  tls.write(options.request);
  return await done;
}
