import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { Certificate } from 'pkijs';
import type { Minted } from '../../../certs-dev/mint.ts';
import { createCrlSet } from '../../../src/core/identity/crl-set.ts';
import { createRevocationList, NO_REVOCATIONS } from '../../../src/core/identity/revocation-list.ts';
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

describe('a verdict', () => {
  it('costs a second reading once: not on another connection, nor under the next snapshot', async (t) => {
    const one = await leaf(root);
    const reading = t.mock.method(Certificate, 'fromBER');
    const judge = new PeerJudge(snapshot);
    for (let i = 0; i < 3; i++) assert.equal(judge.verdictOf(connection(one), NOW)?.accepted, true);
    assert.equal(reading.mock.callCount(), 1);
    const next = new PeerJudge(snapshot, judge);
    assert.equal(next.verdictOf(connection(one), NOW)?.accepted, true);
    assert.equal(reading.mock.callCount(), 1);
    const other = await leaf(root);
    assert.equal(next.verdictOf(connection(other), NOW)?.accepted, true);
    assert.equal(reading.mock.callCount(), 2);
  });

  it('is taken anew under the next snapshot, and of what was never accepted every octet is read again', async (t) => {
    const stranger = await leaf(await ca('stranger'));
    const judge = new PeerJudge(snapshot);
    const reading = t.mock.method(Certificate, 'fromBER');
    assert.equal(judge.verdictOf(connection(stranger), NOW)?.accepted, false);
    const next = new PeerJudge(snapshot, judge);
    assert.equal(next.verdictOf(connection(stranger), NOW)?.accepted, false);
    assert.equal(reading.mock.callCount(), 2);

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
