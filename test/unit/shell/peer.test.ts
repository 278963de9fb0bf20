import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { UTCTime } from 'asn1js';
import type { Minted } from '../../../certs-dev/mint.ts';
import { createCrlSet } from '../../../src/core/identity/crl-set.ts';
import { createRevocationList, NO_REVOCATIONS } from '../../../src/core/identity/revocation-list.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { Snapshot } from '../../../src/core/snapshot.ts';
import { PeerJudge } from '../../../src/shell/tls/peer.ts';
import { certificateSha256 } from '../../support/revocations.ts';
import { ca, leaf, NOW, trustOf } from '../identity/pki.ts';

const root = await ca('root');
const trust = trustOf([root]);
const crls = createCrlSet({ crls: [], previous: undefined, policy: 'require-fresh', trust, nowMs: NOW });
const snapshot = { trust, crls, revocations: NO_REVOCATIONS } as unknown as Snapshot;

/** A new connection each time, as a poll is. */
const connection = ({ der }: Minted, authorized = true): TLSSocket =>
  ({
    destroyed: false,
    authorized,
    authorizationError: authorized ? null : 'CERT_HAS_EXPIRED',
    isSessionReused: () => false,
    getProtocol: () => 'TLSv1.3',
    getCipher: () => ({ standardName: 'TLS_AES_128_GCM_SHA256' }),
    getPeerX509Certificate: () => new X509Certificate(der),
  }) as unknown as TLSSocket;

/** As OpenSSL writes a session, as far as it is looked at: the peer's certificate, and nothing else. */
const sessionOf = ({ der }: Minted): Buffer => {
  const value = (tag: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([tag, 0x82, content.length >> 8, content.length & 0xff]), content]);
  return value(0x30, value(0xa3, Buffer.from(der)));
};

interface Poll {
  readonly socket: TLSSocket;
  /** How often the certificates were asked for. */
  readonly read: { count: number };
}

/** A connection as Node 26 makes it: with a session, and with certificates that can be asked for. */
function poll(leafOf: Minted, more: Partial<Record<keyof TLSSocket, unknown>> = {}): Poll {
  const read = { count: 0 };
  const socket = {
    ...connection(leafOf),
    getSession: () => sessionOf(leafOf),
    getPeerX509Certificate() {
      read.count++;
      return new X509Certificate(leafOf.der);
    },
    ...more,
  } as unknown as TLSSocket;
  return { socket, read };
}

describe('a known leaf', () => {
  const accepted = (judge: PeerJudge, { socket }: Poll, nowMs = NOW): boolean | undefined =>
    judge.verdictOf(socket, nowMs)?.accepted;

  it('is known by the session alone, on each further connection', async () => {
    const one = await leaf(root);
    const judge = new PeerJudge(snapshot);
    const [first, second, other] = [poll(one), poll(one), poll(await leaf(root))];
    assert.deepEqual(
      [accepted(judge, first), accepted(judge, second), accepted(judge, other)],
      [true, true, true],
    );
    assert.deepEqual([first.read.count, second.read.count, other.read.count], [1, 0, 1]);
    assert.equal(judge.presentedBy(second.socket, NOW).recalled, true);
    assert.deepEqual(judge.presentedBy(second.socket, NOW).chain, judge.presentedBy(first.socket, NOW).chain);
  });

  it('is unknown to the next snapshot, which judges by what that very connection presented', async () => {
    const one = await leaf(root);
    const judge = new PeerJudge(snapshot);
    accepted(judge, poll(one));
    const open = poll(one);
    const alsoOpen = poll(one);
    assert.deepEqual([accepted(judge, open), accepted(judge, alsoOpen)], [true, true]);
    const id = { id: 'rev-1', reason: 'test', untilMs: undefined };
    const target = { kind: 'certificate_sha256', sha256: certificateSha256(one.pem) } as const;
    const revoked = new PeerJudge(
      { ...snapshot, revocations: createRevocationList([{ ...id, target }], 1) },
      judge,
    );
    for (const connected of [open, poll(one), alsoOpen]) {
      assert.equal(accepted(revoked, connected), false);
      assert.equal(connected.read.count, 1);
      assert.equal(revoked.presentedBy(connected.socket, NOW).recalled, false);
    }
  });

  it('is forgotten where time ends its verdict, and read again after an hour', async () => {
    const one = await leaf(root);
    const judge = new PeerJudge(snapshot);
    const first = judge.verdictOf(poll(one).socket, NOW);
    assert.ok(first?.accepted && first.validUntil < Number.POSITIVE_INFINITY);
    const late = poll(one);
    assert.equal(accepted(judge, late, first.validUntil + 1_000), false);
    assert.equal(late.read.count, 1);
    const again = poll(one);
    assert.equal(accepted(judge, again, NOW + 3_600_000), true);
    assert.equal(again.read.count, 1);
    // For another hour.
    const [soon, nextHour] = [poll(one), poll(one)];
    assert.equal(accepted(judge, soon, NOW + 3_600_001), true);
    assert.equal(soon.read.count, 0);
    assert.equal(accepted(judge, nextHour, NOW + 7_200_000), true);
    assert.equal(nextHour.read.count, 1);
  });

  it('is no help to another chain, once that is read: what came with it is judged, and remembered apart', async () => {
    const one = await leaf(root);
    const judge = new PeerJudge(snapshot);
    assert.equal(accepted(judge, poll(one)), true);
    type Link = Pick<X509Certificate, 'raw'> & { readonly issuerCertificate: Link | undefined };
    const linked = (count: number): Link => ({
      raw: Buffer.from(one.der),
      issuerCertificate: count === 1 ? undefined : linked(count - 1),
    });
    const more = { getPeerX509Certificate: () => linked(LIMITS.presentedCertificatesMax + 1) };
    for (const nowMs of [NOW + 3_600_000, NOW + 3_600_001]) {
      const verdict = judge.verdictOf(poll(one, more).socket, nowMs);
      assert.equal(verdict?.accepted === false && verdict.refusal.rule, 'too_large');
    }
    const { misses } = judge.lookups;
    assert.equal(accepted(judge, poll(one), NOW + 3_600_002), true);
    assert.equal(judge.lookups.misses, misses, 'of the chain that was accepted the verdict is known');
  });

  it('is no help where OpenSSL does not accept what came with it, nor in a resumed session', async () => {
    const one = await leaf(root);
    const judge = new PeerJudge(snapshot);
    accepted(judge, poll(one));
    for (const more of [
      { authorized: false, authorizationError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
      { authorized: false, authorizationError: { code: 'CERT_HAS_EXPIRED' } },
      { isSessionReused: () => true },
    ]) {
      const worse = poll(one, more);
      assert.equal(accepted(judge, worse), false);
      assert.equal(worse.read.count, 1);
    }
  });

  it('is never one that was refused', async () => {
    const stranger = await leaf(await ca('stranger'));
    const judge = new PeerJudge(snapshot);
    for (let n = 0; n < 3; n++) {
      const one = poll(stranger);
      assert.equal(accepted(judge, one), false);
      assert.equal(one.read.count, 1);
    }
  });

  it('is not made of another certificate: nothing but the leaf of this handshake counts', async () => {
    const one = await leaf(root);
    const judge = new PeerJudge(snapshot);
    accepted(judge, poll(one));
    const stranger = await leaf(await ca('stranger'));
    for (const getSession of [() => sessionOf(stranger), () => undefined, () => Buffer.from('3000', 'hex')]) {
      const claimed = poll(stranger, { getSession });
      assert.equal(accepted(judge, claimed), false);
      assert.equal(claimed.read.count, 1);
    }
  });

  it('shows no chain of a connection that is gone', async () => {
    const one = await leaf(root);
    const judge = new PeerJudge(snapshot);
    accepted(judge, poll(one));
    const { socket } = poll(one);
    const presented = judge.presentedBy(socket, NOW);
    Object.assign(socket, { destroyed: true });
    assert.deepEqual(presented.chain, []);
  });
});

/** How often asn1js has read a certificate: each has two moments, which it reads whatever it has read before. */
function secondReadings(t: TestContext): { count(): number } {
  const moments = t.mock.method(UTCTime.prototype, 'toDate');
  return { count: () => moments.mock.callCount() / 2 };
}

describe('a verdict', () => {
  it('costs a second reading once: not on another connection, nor under the next snapshot', async (t) => {
    const one = await leaf(root);
    const reading = secondReadings(t);
    const judge = new PeerJudge(snapshot);
    for (let i = 0; i < 3; i++) assert.equal(judge.verdictOf(connection(one), NOW)?.accepted, true);
    assert.equal(reading.count(), 1);
    const next = new PeerJudge(snapshot, judge);
    assert.equal(next.verdictOf(connection(one), NOW)?.accepted, true);
    assert.equal(reading.count(), 1);
    const other = await leaf(root);
    assert.equal(next.verdictOf(connection(other), NOW)?.accepted, true);
    assert.equal(reading.count(), 2);
  });

  it('is taken anew under the next snapshot, and the second parser reads what was never accepted before it is', async (t) => {
    const elsewhere = await ca('elsewhere');
    const stranger = await leaf(elsewhere);
    const trusted = trustOf([elsewhere]);
    const judge = new PeerJudge(snapshot);
    const reading = secondReadings(t);
    assert.equal(judge.verdictOf(connection(stranger), NOW)?.accepted, false);
    assert.equal(reading.count(), 0);
    const next = new PeerJudge({ ...snapshot, trust: trusted }, judge);
    assert.equal(next.verdictOf(connection(stranger), NOW)?.accepted, true);
    assert.equal(reading.count(), 1);

    const one = await leaf(root);
    assert.equal(judge.verdictOf(connection(one), NOW)?.accepted, true);
    const entry = {
      id: 'rev-1',
      target: { kind: 'certificate_sha256', sha256: certificateSha256(one.pem) },
      reason: 'test',
      untilMs: undefined,
    } as const;
    const revoked = new PeerJudge({ ...snapshot, revocations: createRevocationList([entry], 1) }, judge);
    const verdict = revoked.verdictOf(connection(one), NOW);
    assert.equal(verdict?.accepted === false && verdict.refusal.rule, 'revoked');
  });

  it('is not shared between connections of which OpenSSL said different things', async () => {
    const one = await leaf(root);
    const judge = new PeerJudge(snapshot);
    assert.equal(judge.verdictOf(connection(one), NOW)?.accepted, true);
    const verdict = judge.verdictOf(connection(one, false), NOW);
    assert.equal(verdict?.accepted === false && verdict.refusal.rule, 'openssl_disagrees');
  });
});
