import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Minted } from '../../../certs-dev/mint.ts';
import { CrlRefused } from '../../../src/core/identity/crl-refused.ts';
import type { CrlSet } from '../../../src/core/identity/crl-set.ts';
import { crlWarnings, isCrlMissing } from '../../../src/core/identity/crl-warnings.ts';
import { combineRevocation, NO_REVOCATION } from '../../../src/core/identity/revocation.ts';
import type { Trust } from '../../../src/core/identity/trust.ts';
import { boundCrl, crlSet } from './crl-tools.ts';
import { ca, DAY, judged, leaf, NOW, refusalOf, ruleOf, trustOf } from './pki.ts';

const root = await ca('root');
const issuing = await ca('issuing', { issuer: root });
const otherRoot = await ca('other root');
const trust = trustOf([root, issuing, otherRoot]);
const client = await leaf(issuing);
const neighbour = await leaf(issuing);
const stranger = await leaf(otherRoot);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const entry = ({ serial }: Minted, reason = 1) => ({ serial, date: new Date(NOW - DAY), reason });
const revoking = (issuer: Minted, ...revoked: readonly Minted[]) => ({
  issuer,
  revoked: revoked.map((one) => entry(one)),
});

const ruleFor = (
  set: CrlSet,
  chain: readonly Minted[] = [client, issuing],
  nowMs = NOW,
  within: Trust = trust,
): string => ruleOf(judged(chain, within, { revocation: set, nowMs }));

/** issuingDistributionPoint with onlyContainsUserCerts (1) or onlyContainsCACerts (2). */
const onlyFor = (tag: 1 | 2) => [
  { oid: '2.5.29.28', critical: true, value: Uint8Array.of(0x30, 3, 0x80 | tag, 1, 0xff) },
];

describe('what a CRL says', () => {
  it('refuses a revoked leaf, naming date, reason, number and issuer, and nobody beside it', async () => {
    const set = await crlSet(trust, [{ ...revoking(issuing, client), number: 12 }]);
    const refusal = refusalOf(judged([client, issuing], trust, { revocation: set }));
    assert.deepEqual([refusal.rule, refusal.position], ['revoked', 'leaf']);
    assert.match(
      refusal.detail,
      /revoked on 2030-01-14T12:00:00\.000Z \(keyCompromise\) by CRL no\. 12 of "CN=issuing"$/,
    );
    assert.equal(ruleFor(set, [neighbour, issuing]), 'accepted');
    assert.equal(ruleFor(set, [stranger]), 'accepted');
  });

  it('refuses under a revoked intermediate', async () => {
    const set = await crlSet(trust, [revoking(root, issuing)]);
    const refusal = refusalOf(judged([client, issuing], trust, { revocation: set }));
    assert.deepEqual([refusal.rule, refusal.position], ['revoked', 'intermediate 1']);
  });

  it('does not refuse an anchor by its own list', async () => {
    assert.equal(ruleFor(await crlSet(trust, [revoking(root, root)])), 'accepted');
  });

  it('is about a serial under its issuer: the same serial of another CA is not revoked', async () => {
    const twin = await leaf(otherRoot, { serial: client.serial });
    assert.equal(ruleFor(await crlSet(trust, [revoking(issuing, client)]), [twin]), 'accepted');
  });

  it('finds serials whose first octet needs a sign octet', async () => {
    const high = await leaf(issuing, { serial: Uint8Array.of(0, 0xf3, 9) });
    assert.equal(ruleFor(await crlSet(trust, [revoking(issuing, high)]), [high, issuing]), 'revoked');
  });

  it('with removeFromCRL says that a certificate is not revoked, and warns of it', async () => {
    const set = await crlSet(trust, [{ issuer: issuing, revoked: [entry(client, 8)] }]);
    assert.equal(ruleFor(set), 'accepted');
    assert.match(crlWarnings(set, NOW).join(), /1 entries with removeFromCRL/);
  });

  it('is for CA certificates only, or for others only, where it says so', async () => {
    const both = [client, issuing];
    for (const [tag, expected] of [
      [1, ['revoked', 'accepted']],
      [2, ['accepted', 'revoked']],
    ] as const) {
      const extensions = onlyFor(tag);
      const ofLeaf = await crlSet(trust, [{ ...revoking(issuing, client), extensions }]);
      const ofCa = await crlSet(trust, [{ ...revoking(root, issuing), extensions }]);
      assert.deepEqual([ruleFor(ofLeaf, both), ruleFor(ofCa, both)], expected);
    }
  });

  it('leaves the path that it does not speak of: of two, the unrevoked one is found', async () => {
    const renewed = await ca('issuing', { issuer: root, reuseKeyOf: issuing });
    const set = await crlSet(trust, [revoking(root, issuing)]);
    assert.equal(ruleFor(set, [client, issuing, renewed]), 'accepted');
    assert.equal(ruleFor(set, [client, issuing]), 'revoked');
  });
});

describe('whose a CRL is', () => {
  it('is the key’s, not the name’s: the re-keyed CA of that name has its own', async () => {
    const rekeyed = await ca('issuing', { issuer: root });
    const both = trustOf([root, issuing, rekeyed]);
    const young = await leaf(rekeyed, { serial: client.serial });
    const set = await crlSet(both, [revoking(issuing, client)]);
    assert.equal(ruleFor(set, [client, issuing], NOW, both), 'revoked');
    assert.equal(ruleFor(set, [young, rekeyed], NOW, both), 'accepted');
  });

  it('must be a CA of the bundles, with that key, and one that may sign CRLs', async () => {
    const impostor = await ca('issuing');
    const silent = await ca('silent', { keyUsage: ['keyCertSign'] });
    const all = trustOf([root, issuing, silent]);
    const refused = (issuer: Minted, message: RegExp) =>
      assert.rejects(
        boundCrl(all, { issuer }),
        (error: unknown) => error instanceof CrlRefused && message.test(error.message),
      );
    await refused(await ca('nobody'), /its issuer "CN=nobody" is in neither bundle/);
    await refused(impostor, /not signed by the key of any CA named "CN=issuing"/);
    await refused({ ...impostor, subjectKeyId: issuing.subjectKeyId }, /not signed by the key/);
    await refused(silent, /may not sign CRLs \(keyUsage lacks cRLSign\)/);
  });
});

describe('which CRL is in force', () => {
  const older = { ...revoking(issuing, client), thisUpdate: new Date(NOW - 2 * DAY), number: 1 };
  const newer = { issuer: issuing, revoked: [], thisUpdate: new Date(NOW - DAY), number: 2 };

  it('is the newest, in whatever order the files come', async () => {
    assert.equal(ruleFor(await crlSet(trust, [older, newer])), 'accepted');
    assert.equal(ruleFor(await crlSet(trust, [newer, older])), 'accepted');
    const turned = { ...newer, ...revoking(issuing, client) };
    assert.equal(ruleFor(await crlSet(trust, [turned, { ...older, revoked: [] }])), 'revoked');
  });

  it('is decided by the number between two of one second', async () => {
    const thisUpdate = older.thisUpdate;
    assert.equal(ruleFor(await crlSet(trust, [older, { ...newer, thisUpdate }])), 'accepted');
    assert.equal(
      ruleFor(
        await crlSet(trust, [
          { ...older, number: 3 },
          { ...newer, thisUpdate },
        ]),
      ),
      'revoked',
    );
  });

  it('is not one from the future, until it begins; five minutes are within what clocks differ', async () => {
    const begin = NOW + DAY;
    const future = { issuer: issuing, revoked: [], thisUpdate: new Date(begin), number: 2 };
    const set = await crlSet(trust, [older, future]);
    assert.equal(ruleFor(set), 'revoked');
    const verdict = judged([client, issuing], trust, { revocation: set });
    assert.equal(verdict.validUntil, begin - 5 * MINUTE);
    assert.equal(ruleFor(set, undefined, begin - 5 * MINUTE - 1), 'revoked');
    const accepted = judged([neighbour, issuing], trust, { revocation: set });
    assert.deepEqual([ruleOf(accepted), accepted.validUntil], ['accepted', begin - 5 * MINUTE]);
    assert.equal(ruleFor(set, undefined, begin - 5 * MINUTE), 'accepted');
  });

  it('stays in force when its file is gone, or only an older one is there', async () => {
    const previous = await crlSet(trust, [{ ...newer, ...revoking(issuing, client) }]);
    for (const now of [[], [{ ...older, revoked: [] }]]) {
      const set = await crlSet(trust, now, { previous });
      assert.equal(ruleFor(set), 'revoked');
      assert.match(crlWarnings(set, NOW).join(), /is in CRL_DIR no more, or only an older one/);
    }
    const replaced = await crlSet(trust, [{ ...newer, thisUpdate: new Date(NOW) }], { previous });
    assert.equal(ruleFor(replaced), 'accepted');
    assert.deepEqual(crlWarnings(replaced, NOW), []);
  });

  it('is forgotten with its CA', async () => {
    const previous = await crlSet(trust, [revoking(issuing, client)]);
    const without = trustOf([otherRoot]);
    assert.deepEqual((await crlSet(without, [], { previous })).crls, []);
  });
});

describe('an issuer that had a CRL before', () => {
  const before = async (): Promise<ReadonlySet<string>> =>
    (await crlSet(trust, [{ issuer: issuing }])).issuers;

  it('and has none is missed: its clients are refused, and nobody else’s', async () => {
    const set = (await crlSet(trust, [])).expecting(await before());
    const refusal = refusalOf(judged([client, issuing], trust, { revocation: set }));
    assert.deepEqual([refusal.rule, refusal.position], ['crl_stale', 'leaf']);
    assert.match(refusal.detail, /its issuer "CN=issuing" had a CRL before, and there is none now/);
    assert.equal(ruleFor(set, [stranger]), 'accepted');
    assert.equal(isCrlMissing(set, NOW), true);
    assert.deepEqual(
      set.missing.map(({ subject }) => subject.readable),
      ['CN=issuing'],
    );
    assert.match(
      crlWarnings(set, NOW).join(),
      /no CRL of "CN=issuing".*every certificate of that issuer is refused/,
    );
  });

  it('is not missed where it has one', async () => {
    const set = (await crlSet(trust, [{ issuer: issuing }])).expecting(await before());
    assert.equal(ruleFor(set), 'accepted');
    assert.equal(isCrlMissing(set, NOW), false);
  });

  it('is warned of under prefer-fresh, and lets its clients in', async () => {
    const set = (await crlSet(trust, [], { policy: 'prefer-fresh' })).expecting(await before());
    assert.equal(ruleFor(set), 'accepted');
    assert.equal(isCrlMissing(set, NOW), false);
    assert.match(crlWarnings(set, NOW).join(), /whom it revoked is not known/);
  });

  it('is missed still when its CA has left the bundles and come back, or is sent by the peer only', async () => {
    const previous = await crlSet(trust, [{ issuer: issuing }]);
    const gone = await crlSet(trustOf([otherRoot]), [], { previous });
    const back = await crlSet(trust, [], { previous: gone });
    assert.equal(ruleFor(back), 'crl_stale');
    const rootOnly = trustOf([root]);
    const sent = await crlSet(rootOnly, [], { previous });
    assert.equal(ruleOf(judged([client, issuing], rootOnly, { revocation: sent })), 'crl_stale');
  });

  it('is missed still when more issuers are expected than it', async () => {
    const others = (await crlSet(trust, [{ issuer: otherRoot }])).issuers;
    const set = (await crlSet(trust, [])).expecting(await before()).expecting(others);
    assert.equal(ruleFor(set), 'crl_stale');
    assert.equal(ruleFor(set, [stranger]), 'crl_stale');
  });
});

describe('a set of CRLs after many others', () => {
  it('holds neither those sets nor their lists, which are some MiB each', async () => {
    setFlagsFromString('--expose-gc');
    let previous: CrlSet | undefined;
    const former: WeakRef<object>[] = [];
    for (let day = 3; day >= 0; day--) {
      const thisUpdate = new Date(NOW - day * DAY - MINUTE);
      previous = await crlSet(trust, [{ issuer: issuing, thisUpdate, number: 10 - day }], {
        ...(previous === undefined ? {} : { previous }),
      });
      former.push(new WeakRef(previous), new WeakRef(previous.crls[0]?.facts ?? {}));
    }
    // A reference that was looked at holds until the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    (runInNewContext('gc') as () => void)();
    assert.deepEqual(
      former.map((one) => one.deref() !== undefined),
      [false, false, false, false, false, false, true, true],
    );
    assert.equal(previous?.crls.length, 1);
  });

  it('forgets nothing that is remembered of them when it is to expect more issuers', async () => {
    const previous = await crlSet(trust, [revoking(issuing, client)]);
    const set = (await crlSet(trust, [], { previous })).expecting(
      (await crlSet(trust, [{ issuer: otherRoot }])).issuers,
    );
    assert.equal(ruleFor(set), 'revoked');
    assert.equal(ruleFor(set, [neighbour, issuing]), 'accepted');
    assert.equal(ruleFor(set, [stranger]), 'crl_stale');
    assert.deepEqual(
      set.crls.map(({ remembered }) => remembered),
      [true],
    );
  });
});

describe('a CRL past its nextUpdate', () => {
  const stale = { thisUpdate: new Date(NOW - 8 * DAY), nextUpdate: new Date(NOW - DAY) };

  it('refuses the clients of its issuer, and of nobody else', async () => {
    const set = await crlSet(trust, [{ issuer: issuing, ...stale }]);
    const refusal = refusalOf(judged([client, issuing], trust, { revocation: set }));
    assert.equal(refusal.rule, 'crl_stale');
    assert.match(
      refusal.detail,
      /CRL no\. 1 of "CN=issuing" is stale: its nextUpdate was 2030-01-14T12:00:00\.000Z/,
    );
    assert.equal(ruleFor(set, [stranger]), 'accepted');
    assert.equal(isCrlMissing(set, NOW), true);
    assert.match(crlWarnings(set, NOW).join(), /every certificate of that issuer is refused/);
  });

  it('still revokes, and says so rather than that it is stale', async () => {
    const crl = { ...revoking(issuing, client), ...stale };
    for (const policy of ['require-fresh', 'prefer-fresh'] as const) {
      assert.equal(ruleFor(await crlSet(trust, [crl], { policy })), 'revoked');
    }
  });

  it('refuses nobody else under prefer-fresh, with a warning', async () => {
    const set = await crlSet(trust, [{ issuer: issuing, ...stale }], { policy: 'prefer-fresh' });
    assert.equal(ruleFor(set), 'accepted');
    assert.equal(isCrlMissing(set, NOW), false);
    assert.match(crlWarnings(set, NOW).join(), /it still revokes/);
  });

  it('is stale from the second after nextUpdate, and no verdict is remembered beyond it', async () => {
    const nextUpdate = NOW + DAY;
    const set = await crlSet(trust, [{ issuer: issuing, nextUpdate: new Date(nextUpdate) }]);
    assert.equal(judged([client, issuing], trust, { revocation: set }).validUntil, nextUpdate);
    assert.equal(ruleFor(set, undefined, nextUpdate + 999), 'accepted');
    assert.equal(ruleFor(set, undefined, nextUpdate + SECOND), 'crl_stale');
    const unbound = await crlSet(trust, [{ issuer: issuing, nextUpdate: new Date(nextUpdate) }], {
      policy: 'prefer-fresh',
    });
    assert.equal(judged([client, issuing], trust, { revocation: unbound }).validUntil, NOW + 30 * DAY);
  });

  it('is missed where the only one is from the future, until that begins', async () => {
    const begin = NOW + DAY;
    const set = await crlSet(trust, [{ issuer: issuing, thisUpdate: new Date(begin) }]);
    const verdict = judged([client, issuing], trust, { revocation: set });
    assert.equal(refusalOf(verdict).rule, 'crl_not_yet_valid');
    assert.equal(verdict.validUntil, begin - 5 * MINUTE);
    assert.equal(isCrlMissing(set, NOW), true);
    assert.match(crlWarnings(set, NOW).join(), /from the future/);
  });

  it('is warned of in the last quarter of its life, at most a day before', async () => {
    const warnedAt = async (lifeMs: number, beforeEnd: number): Promise<boolean> => {
      const end = NOW + beforeEnd;
      const life = { thisUpdate: new Date(end - lifeMs), nextUpdate: new Date(end) };
      return crlWarnings(await crlSet(trust, [{ issuer: issuing, ...life }]), NOW).length > 0;
    };
    assert.deepEqual([await warnedAt(30 * DAY, DAY), await warnedAt(30 * DAY, DAY + SECOND)], [true, false]);
    assert.deepEqual([await warnedAt(DAY, DAY / 4), await warnedAt(DAY, DAY / 4 + SECOND)], [true, false]);
  });
});

describe('several sources of revocations', () => {
  const revoked = { rule: 'revoked', detail: 'by hand', retryAt: NOW + DAY } as const;
  const byHand = { ...NO_REVOCATION, check: () => revoked };
  const short = { ...NO_REVOCATION, holdsUntil: () => NOW + MINUTE };

  it('are one: any of them refuses, and the earliest end counts', () => {
    const combined = combineRevocation([short, byHand]);
    const verdict = judged([client, issuing], trust, { revocation: combined });
    assert.deepEqual([ruleOf(verdict), verdict.validUntil], ['revoked', NOW + DAY]);
    const held = judged([client, issuing], trust, { revocation: combineRevocation([NO_REVOCATION, short]) });
    assert.deepEqual([ruleOf(held), held.validUntil], ['accepted', NOW + MINUTE]);
    assert.equal(ruleOf(judged([client, issuing], trust, { revocation: combineRevocation([]) })), 'accepted');
  });
});
