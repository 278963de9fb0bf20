import type { Socket } from 'node:net';
import { LIMITS } from '../../core/limits.ts';
import { type ProxyRefusal, readProxyHeader } from '../../core/proxy-protocol.ts';

export interface ProxyHeaderEvents {
  /** What follows the header waits in the socket. `source` undefined: the proxy speaks for itself. */
  complete(source: string | undefined): void;
  refused(reason: ProxyRefusal): void;
}

/** Reads the header off a connection that a trusted proxy has made; one of the two events follows, unless the socket closes. */
export function awaitProxyHeader(socket: Socket, events: ProxyHeaderEvents): void {
  let received: Buffer = Buffer.alloc(0);
  const settle = (event: () => void): void => {
    clearTimeout(timer);
    socket.off('readable', read).off('end', ended).off('close', closed);
    event();
  };
  const ended = (): void => settle(() => events.refused('incomplete'));
  const closed = (): void => settle(() => {});
  const read = (): void => {
    for (;;) {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const header = readProxyHeader(received);
      if (header.state === 'incomplete') continue;
      if (header.state === 'refused') {
        settle(() => events.refused(header.reason));
        return;
      }
      const rest = received.subarray(header.octets);
      settle(() => {
        if (rest.length > 0) socket.unshift(rest);
        events.complete(header.source);
      });
      return;
    }
  };
  // From the connection's begin on, however many octets trickle in.
  const timer = setTimeout(ended, LIMITS.proxyHeaderTimeoutMs);
  socket.on('readable', read).once('end', ended).once('close', closed);
}
