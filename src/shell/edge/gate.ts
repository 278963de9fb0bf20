import type { Socket } from 'node:net';
import { LIMITS } from '../../core/limits.ts';
import { addressKey } from '../../core/networks.ts';
import { createBuckets, sheds } from '../../core/rate.ts';
import type { Clock } from '../clock.ts';
import type { Load } from './load.ts';
import type { Standing } from './standing.ts';

/** Why a connection ends before its handshake is done. A closed list: the metric's label. */
export type ConnectionRefusal =
  /** Strangers hold their share of all connections. */
  | 'strangers'
  /** The address holds its share. */
  | 'address_connections'
  /** The address has begun too many handshakes lately. */
  | 'address_handshakes'
  /** The event loop is late, and enough strangers are shaking hands. */
  | 'load'
  /** It was the oldest of too many unfinished handshakes. */
  | 'oldest_handshake'
  /** The handshake took too long. */
  | 'handshake_timeout';

export interface GateParts {
  readonly clock: Clock;
  readonly standing: Standing;
  readonly load: Pick<Load, 'level'>;
  readonly connectionsMax: number;
  readonly clustersPerAddressMax: number;
  refused(reason: ConnectionRefusal, source: string): void;
}

/** Stands between a connection and its handshake: CPU and memory are spent on whom there is room for. */
export interface Gate {
  /** False: the connection was ended. `source`: canonical, or "unknown". */
  enter(socket: Socket, source: string): boolean;
  /** The handshake is done. */
  shaken(socket: Socket): void;
  unfinished(): Readonly<Record<'entitled' | 'stranger', number>>;
  stop(): void;
}

interface Entry {
  readonly socket: Socket;
  readonly source: string;
  readonly key: string;
  /** As it was when the connection came. */
  readonly entitled: boolean;
  readonly since: number;
}

export function createGate(parts: GateParts): Gate {
  const { clock, standing, load, clustersPerAddressMax: clusters } = parts;
  const strangersMax = Math.ceil(parts.connectionsMax * LIMITS.strangerConnectionsShare);
  const perCluster = LIMITS.entitledHandshakesPerCluster;
  const handshakes = {
    stranger: createBuckets(LIMITS.strangerHandshakes),
    entitled: createBuckets({
      burst: Math.max(perCluster.burst * clusters, LIMITS.strangerHandshakes.burst),
      perSecond: Math.max(perCluster.perSecond * clusters, LIMITS.strangerHandshakes.perSecond),
    }),
  };
  const addressMax = {
    stranger: LIMITS.strangerConnectionsPerAddressMax,
    entitled: Math.max(
      LIMITS.entitledConnectionsPerCluster * clusters,
      LIMITS.strangerConnectionsPerAddressMax,
    ),
  };
  const entries = new Map<Socket, Entry>();
  const openOf = new Map<string, number>();
  let strangersOpen = 0;
  /** Oldest first. */
  const unfinished = { entitled: new Set<Entry>(), stranger: new Set<Entry>() };
  const classOf = (entitled: boolean): 'entitled' | 'stranger' => (entitled ? 'entitled' : 'stranger');

  const refusalOf = (key: string, entitled: boolean): ConnectionRefusal | undefined => {
    const kind = classOf(entitled);
    if (!entitled && strangersOpen >= strangersMax) return 'strangers';
    if ((openOf.get(key) ?? 0) >= addressMax[kind]) return 'address_connections';
    // A fleet that comes back to a gateway that has just started is the load, and a stranger until its first poll is done.
    const loaded = standing.anybody && sheds(load.level, 'anonymous');
    if (!entitled && loaded && unfinished.stranger.size >= LIMITS.strangerHandshakesLoadedMax) return 'load';
    return handshakes[kind].take(key, clock.elapsed()) > 0 ? 'address_handshakes' : undefined;
  };
  const end = (socket: Socket, reason: ConnectionRefusal, source: string): void => {
    // A reset keeps nothing of the connection here, where an orderly end would wait for the peer.
    socket.resetAndDestroy();
    parts.refused(reason, source);
  };
  const leave = (entry: Entry): void => {
    entries.delete(entry.socket);
    unfinished[classOf(entry.entitled)].delete(entry);
    const left = (openOf.get(entry.key) ?? 1) - 1;
    if (left === 0) openOf.delete(entry.key);
    else openOf.set(entry.key, left);
    if (!entry.entitled) strangersOpen--;
  };

  // Node's own handshake timeout restarts with each octet that trickles in; this one does not.
  const sweep = setInterval(() => {
    const limit = clock.elapsed() - LIMITS.handshakeTimeoutMs;
    for (const ofKind of Object.values(unfinished)) {
      for (const entry of ofKind) {
        if (entry.since > limit) break;
        ofKind.delete(entry);
        end(entry.socket, 'handshake_timeout', entry.source);
      }
    }
  }, 1_000);
  sweep.unref();

  return {
    enter(socket, source) {
      const key = addressKey(source);
      const entitled = standing.isEntitled(key);
      const refusal = refusalOf(key, entitled);
      if (refusal !== undefined) {
        end(socket, refusal, source);
        return false;
      }
      const entry: Entry = { socket, source, key, entitled, since: clock.elapsed() };
      entries.set(socket, entry);
      openOf.set(key, (openOf.get(key) ?? 0) + 1);
      if (!entitled) strangersOpen++;
      socket.once('close', () => leave(entry));
      unfinished[classOf(entitled)].add(entry);
      if (unfinished.stranger.size > LIMITS.strangerHandshakesMax) {
        const [oldest] = unfinished.stranger;
        if (oldest !== undefined) {
          unfinished.stranger.delete(oldest);
          end(oldest.socket, 'oldest_handshake', oldest.source);
        }
      }
      return true;
    },
    shaken(socket) {
      const entry = entries.get(socket);
      if (entry !== undefined) unfinished[classOf(entry.entitled)].delete(entry);
    },
    unfinished: () => ({ entitled: unfinished.entitled.size, stranger: unfinished.stranger.size }),
    stop: () => clearInterval(sweep),
  };
}
