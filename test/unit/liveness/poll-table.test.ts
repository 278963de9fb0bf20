import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { LIMITS } from '../../../src/core/limits.ts';
import { createPollTable } from '../../../src/core/liveness/poll-table.ts';
import { mergeRecords, type PollRecord, withPoll } from '../../../src/core/liveness/polls.ts';

const ROUTES = ['namespaces', 'rolebindings'];
const T0 = 1_777_852_800_000;
const digestOf = (what: number): string =>
  `sha256:${createHash('sha256').update(String(what)).digest('hex')}`;

const names = fc.constantFrom('a.example.com', 'b.example.com', 'c.example.com');
const route = fc.constantFrom('namespaces', 'rolebindings', 'of-another-version');
const credential = fc.oneof(
  fc.record({
    method: fc.constant('certificate' as const),
    name: names,
    sha256: fc.constantFrom('aa', 'bb'),
  }),
  fc.record({ method: fc.constant('token' as const), name: fc.constantFrom('t1', 'a.example.com') }),
);
const poll = fc.record({
  what: fc.constant('poll' as const),
  name: names,
  route,
  // Now and then the clock goes back.
  afterMs: fc.oneof(
    fc.nat({ max: 30_000 }),
    fc.nat({ max: 200_000_000 }),
    fc.integer({ min: -60_000, max: -1 }),
  ),
  revision: fc.nat({ max: 2 }),
  /** Of a later program than this one, what is served of the same revision is another text. */
  text: fc.nat({ max: 1 }),
  credential,
  client: fc.option(fc.constantFrom('flux', 'curl'), { nil: undefined }),
});
const other = fc.record({
  what: fc.constantFrom('refused', 'put back', 'delete', 'odd' as const),
  name: names,
  route,
});

/** What the table is held against: the records themselves. */
function asRecords() {
  const records = new Map<string, PollRecord>();
  const served = new Map<string, number>();
  return { records, served };
}

describe('the table of polls', () => {
  it('says what the records that it stands for would say, whatever is noted, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 5, arbitrary: poll }, other), { maxLength: 80 }), (asks) => {
        const table = createPollTable(ROUTES);
        const { records, served } = asRecords();
        let nowMs = T0;
        for (const asked of asks) {
          const { name, route: at } = asked;
          const key = `${name} ${at}`;
          const known = records.get(name);
          const before = known ?? {};
          const version = table.versionOf(name);
          if (asked.what === 'poll') {
            nowMs += asked.afterMs;
            const { revision, client } = asked;
            const noted = { lastMs: nowMs, revision, client, credential: { ...asked.credential } };
            const polls = before[at]?.polls;
            const isKnown = polls?.revision === revision && served.get(key) === revision;
            const digest = isKnown ? polls.digest : digestOf(asked.revision * 2 + asked.text);
            records.set(name, { ...before, [at]: withPoll(before[at], { ...noted, digest }) });
            served.set(key, revision);
            table.polled(name, at, noted, () => digest);
          } else if (asked.what === 'refused') {
            const refused = { atMs: nowMs, status: 495, reason: 'expired', knownBy: 'proven' } as const;
            records.set(name, mergeRecords(before, { [at]: { refused } }));
            table.refused(name, at, refused);
          } else if (asked.what === 'put back') {
            const { [at]: _, ...rest } = before;
            records.set(name, rest);
            table.set(name, rest);
          } else if (asked.what === 'odd') {
            const polls = before[at]?.polls;
            if (polls !== undefined) {
              // As some other program may have written it.
              const odd = { ...before, [at]: { polls: { ...polls, digest: 'md5:0' } } };
              records.set(name, odd);
              table.set(name, odd);
            }
          } else {
            records.delete(name);
            for (const one of [...ROUTES, 'of-another-version']) served.delete(`${name} ${one}`);
            table.delete(name);
          }
          assert.deepEqual(table.get(name), records.get(name));
          if (!isDeepStrictEqual(known, records.get(name))) assert.notEqual(table.versionOf(name), version);
          assert.equal(table.versionOf(name) === undefined, !records.has(name));
        }
        assert.deepEqual(new Set(table.names()), new Set(records.keys()));
        for (const name of records.keys()) {
          assert.deepEqual(table.get(name), records.get(name), 'nobody has written into another row');
          for (const at of ROUTES)
            assert.equal(table.servedRevision(name, at), served.get(`${name} ${at}`) ?? -1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps each of a great many apart, and their order by silence', () => {
    const table = createPollTable(ROUTES);
    const credentialOf = (name: string) => ({ method: 'certificate', name, sha256: `of ${name}` }) as const;
    for (let n = 0; n < 1_000; n++) {
      const name = `c${n}`;
      const at = ROUTES[n % 2] ?? '';
      const noted = { lastMs: T0 + ((n * 7) % 1_000), revision: n, client: name };
      table.polled(name, at, { ...noted, credential: credentialOf(name) }, () => digestOf(n));
      table.wrote(name, n + 1);
    }
    for (let n = 0; n < 1_000; n++) {
      const name = `c${n}`;
      const lastMs = T0 + ((n * 7) % 1_000);
      const polls = { lastMs, burstsMs: [lastMs], revision: n, digest: digestOf(n), sinceMs: lastMs };
      const wanted = { ...polls, credential: credentialOf(name), client: name };
      assert.deepEqual(table.get(name), { [ROUTES[n % 2] ?? '']: { polls: wanted } });
      assert.equal(table.lastHeardMs(name), lastMs);
      assert.equal(table.writtenAs(name), n + 1);
    }
    // 143 × 7 = 1,001.
    assert.deepEqual(table.silent(3), ['c0', 'c143', 'c286']);
    // A refusal is a sign of life as well, though it is in no column.
    table.refused('c143', ROUTES[1] ?? '', { atMs: T0 + 9_000, status: 403, reason: 'x', knownBy: 'proven' });
    assert.equal(table.lastHeardMs('c143'), T0 + 9_000);
    assert.deepEqual(table.silent(3), ['c0', 'c286', 'c429']);
    table.delete('c143');
    for (const name of table.silent(998)) table.delete(name);
    assert.equal(table.size, 1);
    assert.equal(table.lastHeardMs('c0'), 0);
  });

  it('a row that was somebody else’s says nothing of them', () => {
    const table = createPollTable(ROUTES);
    const noted = {
      lastMs: T0,
      revision: 1,
      client: 'flux',
      credential: { method: 'token', name: 't' },
    } as const;
    for (let n = 0; n < LIMITS.pollBurstsKept; n++) {
      table.polled('a', 'namespaces', { ...noted, lastMs: T0 + n * LIMITS.pollBurstMs }, () => digestOf(1));
    }
    table.refused('a', 'namespaces', { atMs: T0, status: 495, reason: 'x', knownBy: 'proven' });
    table.wrote('a', 7);
    assert.equal(table.writtenAs('a'), 7);
    table.delete('a');
    assert.equal(table.writtenAs('a'), undefined);
    let looked = 0;
    const nextMs = T0 + 10_000_000;
    table.polled('b', 'rolebindings', { ...noted, lastMs: nextMs }, () => digestOf(2));
    assert.deepEqual(Object.keys(table.get('b') ?? {}), ['rolebindings']);
    assert.equal(table.writtenAs('b'), undefined);
    assert.equal(table.servedRevision('b', 'namespaces'), -1);
    table.polled('b', 'namespaces', { ...noted, lastMs: nextMs }, () => digestOf(++looked + 2));
    assert.deepEqual(table.get('b')?.['namespaces']?.polls?.burstsMs, [nextMs]);
    assert.equal(looked, 1);
  });
});
