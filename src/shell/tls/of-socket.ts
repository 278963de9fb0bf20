import type { Socket } from 'node:net';

/**
 * What is known of a socket, on the socket itself, under a name that nobody else has. A WeakMap says the same, but it is a table that
 * grows with each connection, and that is gone through entry by entry each time that garbage is looked for.
 */
export class OfSocket<T extends {}> {
  readonly #name = Symbol('fluxgate');

  get(socket: Socket): T | undefined {
    return (socket as unknown as Readonly<Record<symbol, T | undefined>>)[this.#name];
  }

  set(socket: Socket, value: T): void {
    (socket as unknown as Record<symbol, T>)[this.#name] = value;
  }

  /** A place that is made stays: to take it away would make the socket a table. */
  delete(socket: Socket): void {
    (socket as unknown as Record<symbol, T | undefined>)[this.#name] = undefined;
  }
}
