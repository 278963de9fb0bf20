import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { FluxgateError } from '../../../src/core/errors.ts';
import type { CertificatePrincipal } from '../../../src/core/identity/principal.ts';
import type { Verdict } from '../../../src/core/identity/verdict.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { LoadLevel } from '../../../src/core/rate.ts';
import { type ConnectionRefusal, createGate, type Gate } from '../../../src/shell/edge/gate.ts';
import { shareBuckets } from '../../../src/shell/edge/shared-buckets.ts';
import { createStanding, type Standing } from '../../../src/shell/edge/standing.ts';
import { createThrottle, type LimitReason } from '../../../src/shell/edge/throttle.ts';
import { ALONE } from '../../../src/shell/workers/siblings.ts';
import { ACTORS } from '../policy/shipped.ts';

const FLEET = '192.0.2.1';
const STRANGER = '198.51.100.1';

/** Time and load as the test says. */
function aWorld() {
  const state = { nowMs: 0, level: 'none' as LoadLevel };
  const clock = { now: () => state.nowMs, elapsed: () => state.nowMs };
  const standing = createStanding(clock, ALONE);
  const buckets = shareBuckets(ALONE, clock);
  return { state, clock, standing, load: state, buckets, siblings: ALONE };
}

class FakeSocket extends EventEmitter {
  destroyed = false;
  resetAndDestroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

interface Gated {
  readonly gate: Gate;
  readonly standing: Standing;
  readonly state: { nowMs: number; level: LoadLevel };
  readonly refused: ConnectionRefusal[];
  connect(source: string): { socket: FakeSocket; entered: boolean };
  shaken(socket: FakeSocket): void;
}

function gated(t: { after(cleanup: () => void): void }, connectionsMax = 40_000, clusters = 10_000): Gated {
  const { state, ...world } = aWorld();
  const refused: ConnectionRefusal[] = [];
  const gate = createGate({
    ...world,
    connectionsMax,
    clustersPerAddressMax: clusters,
    refused: (reason) => void refused.push(reason),
  });
  t.after(() => gate.stop());
  return {
    gate,
    standing: world.standing,
    state,
    refused,
    connect(source) {
      const socket = new FakeSocket();
      // As the listener does.
      socket.on('close', () => gate.left(socket as unknown as Socket));
      return { socket, entered: gate.enter(socket as unknown as Socket, source) };
    },
    shaken: (socket) => gate.shaken(socket as unknown as Socket),
  };
}

describe('the gate', () => {
  it('lets 10,000 clusters behind one entitled address connect at once, three providers each', (t) => {
    const { connect, standing } = gated(t);
    standing.entitle(FLEET);
    for (let index = 0; index < 30_000; index++) assert.equal(connect(FLEET).entered, true);
  });

  it('gives a stranger’s address its share of connections, and the next address its own', (t) => {
    const { connect, shaken, refused } = gated(t);
    for (let index = 0; index < LIMITS.strangerConnectionsPerAddressMax; index++)
      shaken(connect(STRANGER).socket);
    assert.equal(connect(STRANGER).entered, false);
    assert.deepEqual(refused, ['address_connections']);
    assert.equal(connect('198.51.100.2').entered, true);
  });

  it('ends a handshake that takes too long, and counts the time in which nobody was served against nobody', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { connect, shaken, refused, state } = gated(t);
    const pass = (ms: number): void => {
      state.nowMs += ms;
      t.mock.timers.tick(1_000);
    };
    const { socket: silent } = connect(STRANGER);
    const done = connect(STRANGER).socket;
    shaken(done);
    pass(1_000);
    // One turn of the event loop took so long.
    pass(1_000 + 2 * LIMITS.handshakeTimeoutMs);
    assert.deepEqual([silent.destroyed, refused.length], [false, 0]);
    const { socket: later } = connect(STRANGER);
    for (let ms = 3_000; ms < LIMITS.handshakeTimeoutMs; ms += 1_000) pass(1_000);
    assert.equal(silent.destroyed, false);
    pass(1_000);
    assert.equal(silent.destroyed, true);
    assert.deepEqual([later.destroyed, done.destroyed], [false, false]);
    pass(1_000);
    pass(1_000);
    assert.equal(later.destroyed, true);
    assert.deepEqual(refused, ['handshake_timeout', 'handshake_timeout']);
  });

  it('takes an IPv6 /64 for one address', (t) => {
    const { connect, shaken } = gated(t);
    for (let index = 0; index < LIMITS.strangerConnectionsPerAddressMax; index++) {
      shaken(connect(`2001:db8::${index.toString(16)}`).socket);
    }
    assert.equal(connect('2001:db8::ffff:ffff').entered, false);
    assert.equal(connect('2001:db8:0:1::1').entered, true);
  });

  it('keeps most connections for the entitled, however many addresses strangers have', (t) => {
    const { connect, shaken, refused, standing } = gated(t, 400);
    standing.entitle(FLEET);
    for (let index = 0; index < 100; index++) {
      const { socket, entered } = connect(`198.51.100.${index}`);
      assert.equal(entered, true);
      shaken(socket);
    }
    assert.equal(connect('198.51.100.200').entered, false);
    assert.deepEqual(refused, ['strangers']);
    assert.equal(connect(FLEET).entered, true);
  });

  it('frees with the end of a connection what it held', (t) => {
    const { connect, shaken, gate } = gated(t, 400);
    for (let round = 0; round < 1_000; round++) {
      const { socket, entered } = connect(`198.51.100.${round % 50}`);
      assert.equal(entered, true, String(round));
      if (round % 2 === 0) shaken(socket);
      socket.resetAndDestroy();
    }
    assert.deepEqual(gate.unfinished(), { entitled: 0, stranger: 0 });
  });

  it('tells other workers what is open, and no more of a connection that has left, however often it does', (t) => {
    const { state: _, ...world } = aWorld();
    let own: () => readonly unknown[] = () => [];
    const gate = createGate({
      ...world,
      siblings: {
        ...ALONE,
        count: 2,
        gather(topic, take) {
          if (topic === 'connections') own = take;
        },
      },
      connectionsMax: 40_000,
      clustersPerAddressMax: 10_000,
      refused: () => assert.fail('nobody is refused'),
    });
    t.after(() => gate.stop());
    const sockets = [STRANGER, STRANGER, FLEET].map((source) => {
      const socket = new FakeSocket() as unknown as Socket;
      assert.equal(gate.enter(socket, source), true);
      return socket;
    });
    assert.deepEqual(own(), [{ connections: 3, strangers: 3, crowded: [] }]);
    const [first] = sockets;
    assert.ok(first);
    gate.left(first);
    gate.left(first);
    gate.left(new FakeSocket() as unknown as Socket);
    assert.deepEqual(own(), [{ connections: 2, strangers: 2, crowded: [] }]);
  });

  it('ends the oldest unfinished handshake of strangers when there is one too many, never one of the entitled', (t) => {
    const { connect, standing, refused, gate } = gated(t);
    standing.entitle(FLEET);
    const entitled = connect(FLEET).socket;
    const oldest = connect(STRANGER).socket;
    for (let index = 1; index < LIMITS.strangerHandshakesMax; index++)
      connect(`2001:db8:0:${index.toString(16)}::1`);
    assert.equal(oldest.destroyed, false);
    const newest = connect('203.0.113.1');
    assert.equal(newest.entered, true);
    assert.equal(newest.socket.destroyed, false);
    assert.equal(oldest.destroyed, true);
    assert.equal(entitled.destroyed, false);
    assert.deepEqual(refused, ['oldest_handshake']);
    assert.deepEqual(gate.unfinished(), { entitled: 1, stranger: LIMITS.strangerHandshakesMax });
  });

  it('lets an address begin handshakes at its rate, and an entitled one at its fleet’s', (t) => {
    const { connect, standing, refused, state } = gated(t);
    const flood = (source: string, count: number): number => {
      let entered = 0;
      for (let index = 0; index < count; index++) {
        const connection = connect(source);
        if (connection.entered) entered++;
        connection.socket.resetAndDestroy();
      }
      return entered;
    };
    assert.equal(flood(STRANGER, 5_000), LIMITS.strangerHandshakes.burst);
    assert.equal(refused[0], 'address_handshakes');
    state.nowMs += 1_000;
    assert.equal(flood(STRANGER, 5_000), LIMITS.strangerHandshakes.perSecond);
    standing.entitle(FLEET);
    assert.equal(flood(FLEET, 50_000), LIMITS.entitledHandshakesPerCluster.burst * 10_000);
  });

  it('lets few strangers shake hands while the event loop is late, and all of the entitled', (t) => {
    const { connect, standing, state, refused } = gated(t);
    standing.entitle(FLEET);
    state.level = 'anonymous';
    for (let index = 0; index < LIMITS.strangerHandshakesLoadedMax; index++) {
      assert.equal(connect(`198.51.100.${index}`).entered, true);
    }
    assert.equal(connect('203.0.113.1').entered, false);
    assert.deepEqual(refused, ['load']);
    state.level = 'tokens';
    for (let index = 0; index < 1_000; index++) assert.equal(connect(FLEET).entered, true);
  });

  it('keeps no room from strangers while nobody is entitled: the fleet itself may be the load', (t) => {
    const { connect, state } = gated(t);
    state.level = 'tokens';
    for (let index = 0; index < 1_000; index++) assert.equal(connect(FLEET).entered, true);
  });

  it('forgets who is entitled when nothing was accepted from there for a day', (t) => {
    const { standing, state } = gated(t);
    standing.entitle(FLEET);
    state.nowMs = LIMITS.entitledMs - 1;
    assert.equal(standing.isEntitled(FLEET), true);
    state.nowMs = LIMITS.entitledMs;
    assert.equal(standing.isEntitled(FLEET), false);
  });
});

describe('the throttle', () => {
  const throttled = (clusters = 10_000) => {
    const { state, ...world } = aWorld();
    const reasons: LimitReason[] = [];
    const limited = (reason: LimitReason): void => void reasons.push(reason);
    const throttle = createThrottle({ ...world, clustersPerAddressMax: clusters, limited });
    return { throttle, state, reasons };
  };
  const arrival = { source: STRANGER, verdict: undefined, token: false, probe: false };
  const refusal = (act: () => unknown): FluxgateError => {
    try {
      act();
    } catch (error) {
      assert.ok(error instanceof FluxgateError);
      return error;
    }
    throw new assert.AssertionError({ message: 'it was let through' });
  };

  const accepted = (principal: CertificatePrincipal): Verdict => ({
    accepted: true,
    principal,
    validUntil: Number.POSITIVE_INFINITY,
  });
  const refusedVerdict: Verdict = {
    accepted: false,
    refusal: {
      rule: 'untrusted',
      position: 'chain',
      detail: '',
      sha256: '',
      serial: '',
      subject: undefined,
      claimedClusters: [],
    },
    validUntil: Number.POSITIVE_INFINITY,
  };

  it('never turns an accepted certificate away for load, nor for what else its address does', () => {
    const { throttle, state } = throttled();
    for (let index = 0; index < LIMITS.anonymousRequests.burst; index++) throttle.arrive(arrival);
    state.level = 'tokens';
    for (let index = 0; index < 10_000; index++) {
      throttle.arrive({ ...arrival, verdict: accepted({ ...ACTORS.cluster, dns: `c${index}.example` }) });
    }
  });

  it('counts whatever an accepted certificate asks for, and whatever a refused one does', () => {
    const { throttle, reasons } = throttled(1);
    const verdict = accepted(ACTORS.cluster);
    for (let index = 0; index < LIMITS.clusterRequests.burst; index++)
      throttle.arrive({ ...arrival, verdict });
    assert.equal(refusal(() => throttle.arrive({ ...arrival, verdict })).status, 429);
    const bad = { ...arrival, verdict: refusedVerdict };
    for (let index = 0; index < LIMITS.anonymousRequests.burst; index++) throttle.arrive(bad);
    assert.equal(refusal(() => throttle.arrive(bad)).status, 429);
    assert.deepEqual(reasons, ['principal', 'refused_certificates']);
  });

  it('turns away the anonymous under load, then tokens; probes stay', () => {
    const { throttle, state, reasons } = throttled();
    state.level = 'anonymous';
    const error = refusal(() => throttle.arrive(arrival));
    assert.equal(error.status, 503);
    assert.equal(error.headers['Retry-After'], String(LIMITS.shedRetryAfterMs / 1_000));
    throttle.arrive({ ...arrival, token: true });
    throttle.arrive({ ...arrival, probe: true });
    state.level = 'tokens';
    assert.equal(refusal(() => throttle.arrive({ ...arrival, token: true })).status, 503);
    throttle.arrive({ ...arrival, probe: true });
    assert.deepEqual(reasons, ['load_anonymous', 'load_tokens']);
  });

  it('gives the anonymous of an address their rate, and probes no more', () => {
    const { throttle, state } = throttled();
    for (let index = 0; index < LIMITS.anonymousRequests.burst; index++) throttle.arrive(arrival);
    const error = refusal(() => throttle.arrive({ ...arrival, probe: true }));
    assert.equal(error.status, 429);
    assert.equal(error.code, 'rate_limited');
    assert.equal(error.headers['Retry-After'], '1');
    throttle.arrive({ ...arrival, source: FLEET });
    state.nowMs += 10;
    throttle.arrive(arrival);
  });

  it('lets a fleet of token clusters behind one address poll at once', () => {
    const { throttle } = throttled();
    for (let index = 0; index < 30_000; index++) {
      throttle.arrive({ ...arrival, token: true });
      throttle.admitted(ACTORS.reader);
    }
  });

  it('lets each principal have its rate, whatever another one takes', () => {
    const { throttle, reasons } = throttled();
    for (let index = 0; index < LIMITS.sharedTokenRequests.burst; index++) throttle.admitted(ACTORS.reader);
    assert.equal(refusal(() => throttle.admitted(ACTORS.reader)).code, 'rate_limited');
    assert.deepEqual(reasons, ['principal']);
    throttle.admitted({ ...ACTORS.reader, tokenId: 'another' });
    throttle.admitted(ACTORS.writer);
    throttle.admitted(ACTORS.anonymous);
    throttle.arrive({ ...arrival, verdict: accepted(ACTORS.operator) });
  });

  it('answers the same to a right and to a wrong token once an address has failed too often', () => {
    const { throttle } = throttled();
    assert.equal(throttle.tokenSeen(FLEET, ACTORS.reader), 0);
    for (let index = 0; index < LIMITS.failedTokensBurst; index++) {
      throttle.tokenSeen(FLEET, undefined);
      throttle.tokenSeen(STRANGER, undefined);
    }
    const wrong = refusal(() => throttle.tokenSeen(STRANGER, undefined));
    const right = refusal(() => throttle.tokenSeen(STRANGER, ACTORS.reader));
    assert.deepEqual(
      [right.status, right.message, right.headers, right.logged],
      [wrong.status, wrong.message, wrong.headers, wrong.logged],
    );
    assert.equal(throttle.tokenSeen(FLEET, ACTORS.reader), 0, 'it was accepted from there before');
    assert.equal(refusal(() => throttle.tokenSeen(FLEET, ACTORS.writer)).status, 429, 'that one was not');
  });
});
