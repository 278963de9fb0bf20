/** How much is done. The figures of `tiny` say nothing: it exists so that all of it can be run in seconds. */
export interface Size {
  readonly name: 'full' | 'quick' | 'tiny';
  /** Clusters in the store, one store each. */
  readonly stores: readonly number[];
  readonly rounds: number;
  /** In each round, on each server: a third of a second. */
  readonly polls: number;
  /** Different clusters that poll one store; undefined: all of them. */
  readonly pollersMax?: number;
  readonly keptRequests: number;
  readonly keptRounds: number;
  readonly burst: number;
  readonly burstRounds: number;
  readonly writeRounds: number;
  /** Polls a second beside a write or a reload. */
  readonly pace: number;
  readonly restSeconds: number;
  readonly idleWarmUp: number;
  readonly idleConnections: number;
  readonly idleRounds: number;
  readonly starts: number;
  readonly reloads: number;
  /** With each kind of key and key exchange, and how often. */
  readonly handshakes: number;
  readonly handshakeRounds: number;
}

export const SIZES: Readonly<Record<Size['name'], Size>> = {
  full: {
    name: 'full',
    stores: [10, 1_000, 10_000, 100_000],
    rounds: 28,
    polls: 250,
    keptRequests: 8_000,
    keptRounds: 10,
    burst: 5_000,
    burstRounds: 3,
    writeRounds: 7,
    pace: 200,
    restSeconds: 5,
    idleWarmUp: 1_000,
    idleConnections: 4_000,
    idleRounds: 3,
    starts: 5,
    reloads: 3,
    handshakes: 1000,
    handshakeRounds: 3,
  },
  quick: {
    name: 'quick',
    stores: [10, 1_000, 10_000],
    rounds: 8,
    polls: 250,
    pollersMax: 1_000,
    keptRequests: 4_000,
    keptRounds: 3,
    burst: 5_000,
    burstRounds: 1,
    writeRounds: 1,
    pace: 200,
    restSeconds: 3,
    idleWarmUp: 500,
    idleConnections: 1_500,
    idleRounds: 1,
    starts: 1,
    reloads: 1,
    handshakes: 400,
    handshakeRounds: 1,
  },
  tiny: {
    name: 'tiny',
    stores: [3],
    rounds: 1,
    polls: 6,
    keptRequests: 16,
    keptRounds: 1,
    burst: 12,
    burstRounds: 1,
    writeRounds: 1,
    pace: 50,
    restSeconds: 0.2,
    idleWarmUp: 2,
    idleConnections: 4,
    idleRounds: 1,
    starts: 1,
    reloads: 1,
    handshakes: 6,
    handshakeRounds: 1,
  },
};
