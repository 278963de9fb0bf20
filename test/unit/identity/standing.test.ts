import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Minted } from '../../../certs-dev/mint.ts';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import type { RevocationCheck } from '../../../src/core/identity/revocation.ts';
import { refusedAuthorities } from '../../../src/core/identity/standing.ts';
import { finish } from '../../../src/core/steps.ts';
import { ca, DAY, judged, leaf, NOW, ruleOf, trustOf } from './pki.ts';

const sha256 = (one: Minted): string => readCertificate(one.der).sha256;

/** Two roots, one of them expired; a CA that both signed; under it one that, by another certificate, signs its own issuer. */
const root = await ca('root');
const expired = await ca('expired root', { notAfter: new Date(NOW - DAY / 2) });
const issuing = await ca('issuing', { issuer: root });
const cross = await ca('issuing', { issuer: expired, reuseKeyOf: issuing });
const below = await ca('below', { issuer: issuing });
const circle = await ca('circle', { issuer: below });
const closing = await ca('below', { issuer: circle, reuseKeyOf: below });
const trust = trustOf([root, expired, issuing, cross, below, circle, closing]);

/** Certificates of one name and key, with a leaf that each of them could have issued. */
const GROUPS = [
  { members: [root], client: await leaf(root) },
  { members: [expired], client: await leaf(expired) },
  { members: [issuing, cross], client: await leaf(issuing) },
  { members: [below, closing], client: await leaf(below) },
  { members: [circle], client: await leaf(circle) },
];

const revoking = (revoked: ReadonlySet<string>): RevocationCheck => ({
  check: (certificate) =>
    revoked.has(certificate.sha256)
      ? { rule: 'revoked', detail: 'revoked', retryAt: Number.POSITIVE_INFINITY, revocationId: 'rev-1' }
      : undefined,
  holdsUntil: () => Number.POSITIVE_INFINITY,
});

describe('the CAs of a bundle that are told as refused', () => {
  it('are those under which the judge lets nobody in, whichever of them are revoked', () => {
    const candidates = [root, issuing, cross, below, circle, closing].map(sha256);
    for (let subset = 0; subset < 2 ** candidates.length; subset++) {
      const revoked = new Set(candidates.filter((_, bit) => (subset >> bit) & 1));
      const revocation = revoking(revoked);
      const refused = finish(refusedAuthorities(trust.cluster, revocation, NOW));
      for (const { members, client } of GROUPS) {
        const accepted = ruleOf(judged([client], trust, { revocation })) === 'accepted';
        const told = members.some((one) => !refused.has(sha256(one)));
        assert.equal(told, accepted, `${members[0]?.request.subject.CN} with ${[...revoked].join()} revoked`);
      }
      for (const one of refused.values()) {
        assert.ok(one.sha256 === sha256(expired) ? one.rule === 'expired' : revoked.has(one.sha256));
      }
    }
  });

  it('are told with the nearest reason: their own, or that of what is above', () => {
    const of = (...revoked: readonly Minted[]) => {
      const refused = finish(refusedAuthorities(trust.cluster, revoking(new Set(revoked.map(sha256))), NOW));
      return (one: Minted) => refused.get(sha256(one));
    };
    const nothing = of();
    assert.deepEqual([nothing(root), nothing(issuing), nothing(circle)], [undefined, undefined, undefined]);
    assert.equal(nothing(cross)?.rule, 'expired');
    assert.match(
      nothing(cross)?.detail ?? '',
      /^"CN=expired root" \(sha256 [0-9a-f]{16}…\): expired at 2030-/,
    );
    const both = of(root, below);
    assert.deepEqual(
      [issuing, below, circle].map((one) => both(one)?.sha256),
      [root, below, below].map(sha256),
    );
    assert.equal(both(circle)?.revocationId, 'rev-1');
  });

  it('are also those that sign each other in a circle, which leads nowhere', async () => {
    const gone = await ca('gone');
    const one = await ca('one', { issuer: gone });
    const other = await ca('other', { issuer: one });
    const back = await ca('one', { issuer: other, reuseKeyOf: one });
    const apart = trustOf([root, other, back]);
    const refused = finish(refusedAuthorities(apart.cluster, revoking(new Set()), NOW));
    for (const each of [other, back]) {
      assert.equal(refused.get(sha256(each))?.rule, 'untrusted');
      assert.match(refused.get(sha256(each))?.detail ?? '', /no path leads from it to an anchor/);
    }
    assert.equal(refused.has(sha256(root)), false);
    assert.equal(ruleOf(judged([await leaf(other)], apart, {})), 'untrusted');
  });
});
