import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { LIMITS } from '../../../src/core/limits.ts';
import type { RequestRecord } from '../../../src/shell/http/pipeline.ts';
import { createLog } from '../../../src/shell/log.ts';
import { createPresentations, type Presentations } from '../../../src/shell/presentations.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { ALONE } from '../../../src/shell/workers/siblings.ts';
import { temporaryDatabase } from '../store/temporary.ts';

const asText = (octets: Uint8Array): string => Buffer.from(octets).toString();

const EAST = 'east.k8s.example.com';
const log = createLog('silent', { write: () => undefined });
const LEAF = Buffer.from('a leaf');
const NEXT = Buffer.from('the next leaf');
const ISSUER = Buffer.from('an intermediate');

/** One request of the cluster, with this leaf. */
function requestOf(leaf: Buffer, source = '10.0.0.1', dns = EAST): RequestRecord {
  const certificate = {
    sha256: createHash('sha256').update(leaf).digest('hex'),
    spkiSha256: 'aa',
    serial: '01',
    subject: 'CN=east',
    issuer: 'CN=ca',
    anchorSha256: 'bb',
    issuersSha256: ['cc', 'bb'],
    notAfter: 1,
  };
  const principal = { kind: 'cluster', dns, certificate };
  return {
    verdict: { accepted: true, principal, validUntil: 1 },
    presented: { chain: [leaf, ISSUER], tls: { version: 'TLSv1.3', cipher: 'c', group: 'g' } },
    principal,
    source,
  } as unknown as RequestRecord;
}

const clock = { ms: 1_000, now: () => clock.ms, elapsed: () => clock.ms };

async function start(t: TestContext, url: string): Promise<{ store: Store; presentations: Presentations }> {
  const store = await openSqliteStore(url);
  t.after(() => store.close());
  return { store, presentations: createPresentations(store.sightings, clock, log, ALONE) };
}

const known = (presentations: Presentations) => presentations.get('cluster', EAST, 'certificate');

test('what is noted while the past is loaded is counted with it, in memory and in the store', async (t) => {
  const { url } = temporaryDatabase(t);
  const first = await start(t, url);
  for (let n = 0; n < 3; n++) first.presentations.note(requestOf(LEAF), 200);
  await first.presentations.close();

  clock.ms = 5_000;
  const second = await start(t, url);
  second.presentations.note(requestOf(LEAF, '10.0.0.2'), 200);
  assert.equal(known(second.presentations)?.count, 1);
  // Nothing is written over what is not known yet.
  await second.presentations.flush();
  const { count, firstSeenMs, lastSeenMs, source } = known(second.presentations) ?? {};
  assert.deepEqual(
    { count, firstSeenMs, lastSeenMs, source },
    {
      count: 4,
      firstSeenMs: 1_000,
      lastSeenMs: 5_000,
      source: '10.0.0.2',
    },
  );
  const third = await start(t, url);
  await third.presentations.loaded();
  assert.equal(known(third.presentations)?.count, 4);
});

test('a certificate that came while the past is loaded is the one, not that of before', async (t) => {
  const { url } = temporaryDatabase(t);
  const first = await start(t, url);
  first.presentations.note(requestOf(LEAF), 200);
  await first.presentations.close();
  const second = await start(t, url);
  second.presentations.note(requestOf(NEXT), 200);
  await second.presentations.loaded();
  const now = known(second.presentations);
  assert.equal(now?.count, 1);
  assert.deepEqual(
    (now && (await second.presentations.withChain(now)))?.chain.map(asText),
    [NEXT, ISSUER].map(String),
  );
});

test('a chain is in memory until it is written, and then in the store', async (t) => {
  const { url } = temporaryDatabase(t);
  const { presentations } = await start(t, url);
  const chain = async () => {
    const now = known(presentations);
    return (now && (await presentations.withChain(now)))?.chain.map(asText);
  };
  presentations.note(requestOf(LEAF), 200);
  assert.ok(known(presentations)?.leaf);
  assert.deepEqual(await chain(), [LEAF, ISSUER].map(String));
  await presentations.flush();
  assert.equal(known(presentations)?.leaf, undefined);
  assert.deepEqual(await chain(), [LEAF, ISSUER].map(String));
  // Seen again and written again, without it: it stays there.
  clock.ms += 3_600_000;
  presentations.note(requestOf(LEAF), 200);
  await presentations.flush();
  assert.deepEqual(await chain(), [LEAF, ISSUER].map(String));
});

test('a change of the time alone is written every half an hour, and at an end', async (t) => {
  const { url } = temporaryDatabase(t);
  const { presentations, store } = await start(t, url);
  const stored = async () => {
    for await (const { document } of store.sightings.load())
      return (JSON.parse(document) as { count: number }).count;
    return undefined;
  };
  const again = async (afterMs: number) => {
    clock.ms += afterMs;
    presentations.note(requestOf(LEAF), 200);
    await presentations.flush();
    return stored();
  };
  assert.equal(await again(0), 1);
  assert.equal(await again(LIMITS.sightingsRewriteMs - 1), 1);
  assert.equal(await again(1), 3);
  assert.equal(await again(1), 3);
  await presentations.close();
  assert.equal(await stored(), 4);
});

test('a chain that somebody took out of the store is nobody else’s, and comes back with the next request', async (t) => {
  const { url } = temporaryDatabase(t);
  const { presentations, store } = await start(t, url);
  presentations.note(requestOf(LEAF), 200);
  await presentations.flush();
  await store.sightings.save({
    sightings: [],
    forgotten: [{ kind: 'cluster', name: EAST, credential: 'certificate' }],
    pins: [],
  });
  const before = known(presentations);
  assert.ok(before);
  assert.equal(await presentations.withChain(before), undefined);
  presentations.note(requestOf(LEAF), 200);
  assert.deepEqual((await presentations.withChain(before))?.chain.map(asText), [LEAF, ISSUER].map(String));
  await presentations.flush();
  assert.equal(known(presentations)?.count, 2);
  assert.deepEqual((await presentations.withChain(before))?.chain.map(asText), [LEAF, ISSUER].map(String));
});

test('while the past cannot be read nothing is written over it; it is read again when it can be', async (t) => {
  const { url } = temporaryDatabase(t);
  const first = await start(t, url);
  for (let n = 0; n < 3; n++) first.presentations.note(requestOf(LEAF), 200);
  await first.presentations.close();
  let fails = true;
  const { sightings } = first.store;
  const store = {
    ...sightings,
    load: () => {
      if (fails) throw new Error('locked');
      return sightings.load();
    },
  };
  const presentations = createPresentations(store, clock, log, ALONE);
  presentations.note(requestOf(LEAF), 200);
  await assert.rejects(presentations.flush(), /locked/);
  fails = false;
  await presentations.flush();
  assert.equal(known(presentations)?.count, 4);
});

test('a certificate that another worker tells of is not written with the leaf of the one before', async (t) => {
  const { url } = temporaryDatabase(t);
  const store = await openSqliteStore(url);
  t.after(() => store.close());
  let telling: () => readonly unknown[] = () => [];
  let take: (items: readonly never[], from: number) => unknown = () => undefined;
  const one = createPresentations(store.sightings, clock, log, {
    ...ALONE,
    count: 2,
    gather: (_topic, collect) => {
      telling = collect;
    },
  });
  const other = createPresentations(store.sightings, clock, log, {
    ...ALONE,
    count: 2,
    onShared: (_topic, taken) => {
      take = taken;
    },
  });
  await Promise.all([one.loaded(), other.loaded()]);
  other.note(requestOf(LEAF), 200);
  one.note(requestOf(NEXT), 200);
  take(JSON.parse(JSON.stringify(telling())) as never[], 1);
  await one.flush();
  await other.flush();
  for (const presentations of [one, other]) {
    const now = known(presentations);
    assert.ok(now);
    const chain = (await presentations.withChain(now))?.chain.map(asText);
    assert.deepEqual(chain, [NEXT, ISSUER].map(String));
  }
});

test('of more than there is room for, those that were not seen for longest are forgotten, in the store, too', async (t) => {
  const { url } = temporaryDatabase(t);
  const { store } = await start(t, url);
  const gone: string[] = [];
  const presentations = createPresentations(
    {
      ...store.sightings,
      save: async ({ forgotten }) => void gone.push(...forgotten.map(({ name }) => name)),
    },
    clock,
    log,
    ALONE,
  );
  const nameOf = (n: number): string => `c${n}.example.com`;
  const has = (n: number): boolean => presentations.get('cluster', nameOf(n), 'certificate') !== undefined;
  for (let n = 0; n < LIMITS.presentationsMax; n++) {
    clock.ms += 1;
    presentations.note(requestOf(LEAF, '10.0.0.1', nameOf(n)), 200);
  }
  clock.ms += 1;
  presentations.note(requestOf(LEAF, '10.0.0.1', nameOf(0)), 200);
  assert.ok(has(1), 'not full yet');
  presentations.note(requestOf(LEAF), 200);
  assert.deepEqual([has(0), has(1), has(LIMITS.presentationsMax - 1)], [true, false, true]);
  assert.ok(known(presentations));
  await presentations.flush();
  assert.ok(gone.includes(nameOf(1)) && !gone.includes(nameOf(0)));
});

test('who looks at all of them has each made when it is reached, of those that there were', async (t) => {
  const { presentations } = await start(t, temporaryDatabase(t).url);
  const see = (dns: string): void => presentations.note(requestOf(Buffer.from(dns), '10.0.0.1', dns), 200);
  for (const dns of ['a.example', 'b.example', 'c.example']) see(dns);
  const counts: (readonly [string, number])[] = [];
  for (const { name, count } of presentations.all()) {
    counts.push([name, count]);
    see('c.example');
    see(`beside-${name}`);
  }
  assert.deepEqual(counts, [
    ['a.example', 1],
    ['b.example', 1],
    ['c.example', 3],
  ]);
});

test('a presentation is found by its certificate as it is by now', async (t) => {
  const { presentations } = await start(t, temporaryDatabase(t).url);
  const sha256 = createHash('sha256').update(LEAF).digest('hex');
  assert.equal(presentations.withCertificate(sha256), undefined);
  presentations.note(requestOf(Buffer.from('another'), '10.0.0.1', 'a.example'), 200);
  presentations.note(requestOf(LEAF), 200);
  assert.deepEqual(presentations.withCertificate(sha256), known(presentations));
  presentations.note(requestOf(NEXT), 200);
  assert.equal(presentations.withCertificate(sha256), undefined);
});

test('who has one name is kept apart by what they are and how they came', async (t) => {
  const { url } = temporaryDatabase(t);
  const { presentations } = await start(t, url);
  const name = 'same.example.com';
  const cluster = requestOf(LEAF, '10.0.0.1', name);
  const { verdict } = requestOf(NEXT, '10.0.0.1', name);
  if (verdict?.accepted !== true) throw new Error('it is accepted');
  const operator = {
    kind: 'operator',
    name,
    groups: [],
    certificate: verdict.principal.certificate,
  } as const;
  const accepted = { ...cluster, verdict: { ...verdict, principal: operator }, principal: operator } as const;
  const observed = {
    ...accepted,
    verdict: { accepted: false, refusal: {}, validUntil: 1, wouldBe: operator },
  } as unknown as RequestRecord;
  for (const [note, times] of [
    [accepted, 3],
    [observed, 2],
    [cluster, 1],
    [observed, 1],
  ] as const) {
    for (let time = 0; time < times; time++) presentations.note(note, 200);
  }
  assert.deepEqual(
    [
      presentations.get('operator', name, 'certificate')?.count,
      presentations.get('operator', name, 'observed')?.count,
      presentations.get('cluster', name, 'certificate')?.count,
    ],
    [3, 3, 1],
  );
});

test('an end with nothing to write waits for nothing of the past', { timeout: 10_000 }, async (t) => {
  const { url } = temporaryDatabase(t);
  const { store } = await start(t, url);
  let loading = 0;
  async function* neverRead(): AsyncGenerator<never> {
    loading += 1;
    await new Promise((resolve) => t.signal.addEventListener('abort', resolve));
  }
  const presentations = createPresentations({ ...store.sightings, load: neverRead }, clock, log, ALONE);
  void presentations.loaded();
  assert.equal(loading, 1);
  await presentations.close();
});
