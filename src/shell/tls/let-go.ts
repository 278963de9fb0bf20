import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';

/** What Node (26.10) keeps in a socket and needs no more of one that is closed. All of them are names of its own. */
interface Kept {
  _readableState: object;
  _writableState: object;
  _parent: Socket | null;
  /** Of TLS sockets: a copy of the server's options for each, with a buffer that holds 64 KiB for all that were cut out of it. */
  _tlsOptions?: object | null;
}

/** A socket that never was anything but closed. Whoever asks one that was let go hears what this one says: closed, nothing to read or write. */
const CLOSED = new Socket().destroy() as unknown as Kept;

/**
 * Takes off a connection that is closed what still listens to it, and most of what it keeps in memory:
 * docs/decisions/ended-connections.md. Nothing is heard of it any more but an error that comes late, which without a listener would
 * end the process.
 */
export function letGo(this: Socket): void {
  // Not the socket's own: a stream's looks at itself once more at the next tick, on behalf of `readable`.
  EventEmitter.prototype.removeAllListeners.call(this);
  this.on('error', ignore);
  const kept = this as unknown as Kept;
  kept._readableState = CLOSED._readableState;
  kept._writableState = CLOSED._writableState;
  kept._parent = null;
  if (kept._tlsOptions !== undefined) kept._tlsOptions = null;
}

function ignore(): void {}
