import type { Socket } from 'node:net';
import { LIMITS } from '../../core/limits.ts';
import { Linked, LinkedList } from '../../core/linked-list.ts';
import { addressKey } from '../../core/networks.ts';
import { sheds } from '../../core/rate.ts';
import type { Clock } from '../clock.ts';
import { OfSocket } from '../tls/of-socket.ts';
import type { Siblings } from '../workers/siblings.ts';
import { shareConnections } from './connections-elsewhere.ts';
import type { Load } from './load.ts';
import type { MakeBuckets } from './shared-buckets.ts';
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
  readonly buckets: MakeBuckets;
  readonly siblings: Siblings;
  refused(reason: ConnectionRefusal, source: string): void;
}

/** Stands between a connection and its handshake: CPU and memory are spent on whom there is room for. */
export interface Gate {
  /** Open elsewhere, of the connections that all workers together may have. */
  readonly connectionsElsewhere: number;
  /** False: the connection was ended. `source`: canonical, or "unknown". */
  enter(socket: Socket, source: string): boolean;
  /** The handshake is done. */
  shaken(socket: Socket): void;
  /** The connection is closed; of one that never entered there is nothing to forget. */
  left(socket: Socket): void;
  unfinished(): Readonly<Record<'entitled' | 'stranger', number>>;
  stop(): void;
}

class Entry extends Linked {
  readonly socket: Socket;
  readonly source: string;
  readonly key: string;
  /** As it was when the connection came. */
  readonly entitled: boolean;
  /** By a clock that stands still while this process is late. */
  readonly since: number;

  constructor(socket: Socket, source: string, key: string, entitled: boolean, since: number) {
    super();
    this.socket = socket;
    this.source = source;
    this.key = key;
    this.entitled = entitled;
    this.since = since;
  }
}

const SWEEP_MS = 1_000;

export function createGate(parts: GateParts): Gate {
  const { clock, standing, load, siblings, clustersPerAddressMax: clusters } = parts;
  const strangersMax = Math.ceil(parts.connectionsMax * LIMITS.strangerConnectionsShare);
  const perCluster = LIMITS.entitledHandshakesPerCluster;
  const handshakes = {
    stranger: parts.buckets('stranger_handshakes', LIMITS.strangerHandshakes),
    entitled: parts.buckets('entitled_handshakes', {
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
  const entryOf = new OfSocket<Entry>();
  let open = 0;
  const openOf = new Map<string, number>();
  /** Those that hold more than their share of what one address may: only they matter to other workers. */
  const crowded = new Map<string, number>();
  const untold = addressMax.stranger / (2 * siblings.count);
  const countOf = (key: string, change: 1 | -1): void => {
    const count = (openOf.get(key) ?? 0) + change;
    if (count === 0) openOf.delete(key);
    else openOf.set(key, count);
    if (siblings.count === 1) return;
    if (count > untold) crowded.set(key, count);
    else crowded.delete(key);
  };
  const elsewhere = shareConnections(siblings, () => ({
    connections: open,
    strangers: strangersOpen,
    crowded: [...crowded],
  }));
  let strangersOpen = 0;
  /** Oldest first. */
  const unfinished = { entitled: new LinkedList<Entry>(), stranger: new LinkedList<Entry>() };
  const classOf = (entitled: boolean): 'entitled' | 'stranger' => (entitled ? 'entitled' : 'stranger');

  const refusalOf = (key: string, entitled: boolean): ConnectionRefusal | undefined => {
    const kind = classOf(entitled);
    if (!entitled && strangersOpen + elsewhere.strangers >= strangersMax) return 'strangers';
    if ((openOf.get(key) ?? 0) + elsewhere.of(key) >= addressMax[kind]) return 'address_connections';
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
    entryOf.delete(entry.socket);
    open -= 1;
    unfinished[classOf(entry.entitled)].delete(entry);
    countOf(entry.key, -1);
    if (!entry.entitled) strangersOpen--;
  };

  // Node's own handshake timeout restarts with each octet that trickles in; this one does not. What peers send while this process is busy
  // waits to be read, and that is no silence of theirs: the time by which a look comes late is counted against nobody.
  let [lookedMs, lateMs] = [clock.elapsed(), 0];
  const sweep = setInterval(() => {
    const nowMs = clock.elapsed();
    lateMs += Math.max(0, nowMs - lookedMs - SWEEP_MS);
    lookedMs = nowMs;
    const limit = nowMs - lateMs - LIMITS.handshakeTimeoutMs;
    for (const ofKind of Object.values(unfinished)) {
      for (const entry of ofKind) {
        if (entry.since > limit) break;
        ofKind.delete(entry);
        end(entry.socket, 'handshake_timeout', entry.source);
      }
    }
  }, SWEEP_MS);
  sweep.unref();

  return {
    get connectionsElsewhere() {
      return elsewhere.connections;
    },
    enter(socket, source) {
      const key = addressKey(source);
      const entitled = standing.isEntitled(key);
      const refusal = refusalOf(key, entitled);
      if (refusal !== undefined) {
        end(socket, refusal, source);
        return false;
      }
      const entry = new Entry(socket, source, key, entitled, clock.elapsed() - lateMs);
      entryOf.set(socket, entry);
      open += 1;
      countOf(key, 1);
      if (!entitled) strangersOpen++;
      unfinished[classOf(entitled)].add(entry);
      if (unfinished.stranger.size > LIMITS.strangerHandshakesMax) {
        const oldest = unfinished.stranger.first;
        if (oldest !== undefined) {
          unfinished.stranger.delete(oldest);
          end(oldest.socket, 'oldest_handshake', oldest.source);
        }
      }
      return true;
    },
    shaken(socket) {
      const entry = entryOf.get(socket);
      if (entry !== undefined) unfinished[classOf(entry.entitled)].delete(entry);
    },
    left(socket) {
      const entry = entryOf.get(socket);
      if (entry !== undefined) leave(entry);
    },
    unfinished: () => ({ entitled: unfinished.entitled.size, stranger: unfinished.stranger.size }),
    stop: () => clearInterval(sweep),
  };
}
