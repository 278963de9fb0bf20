import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/**
 * Takes off a connection that is closed what still listens to it, and with that most of what it keeps in memory:
 * docs/decisions/ended-connections.md. Nothing is heard of it any more but an error that comes late, which without a listener would
 * end the process.
 */
export function letGo(this: Socket): void {
  // Not the socket's own: a stream's looks at itself once more at the next tick, on behalf of `readable`.
  EventEmitter.prototype.removeAllListeners.call(this);
  this.on('error', ignore);
}

function ignore(): void {}
