import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { digestMemory } from '../../src/core/digest-memory.ts';

const digestOf = (what: number): string => hash('sha256', String(what), 'binary');
/** Digests that begin alike stand at the same place. */
const alike = (what: number): string => `same${digestOf(what).slice(4)}`;

describe('a memory by digests', () => {
  it('says of each what was last said of it, as long as there is room for all', () => {
    const asked = fc.record({
      digest: fc.tuple(fc.nat({ max: 200 }), fc.boolean()),
      value: fc.option(fc.nat()),
    });
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 600 }), (asks) => {
        const memory = digestMemory<number>(402);
        const told = new Map<string, number>();
        for (const {
          digest: [what, isAlike],
          value,
        } of asks) {
          const digest = isAlike ? alike(what) : digestOf(what);
          if (value !== null) {
            memory.set(digest, value);
            told.set(digest, value);
          }
          assert.equal(memory.get(digest), told.get(digest));
        }
        for (const [digest, value] of told) assert.equal(memory.get(digest), value);
        assert.equal(memory.size, told.size);
      }),
    );
  });

  it('tells digests apart by each of their octets', () => {
    const memory = digestMemory<number>(64);
    memory.set('\0'.repeat(32), 0);
    for (let octet = 0; octet < 32; octet++) {
      for (const other of ['\x01', '\x80', '\xff']) {
        const digest = `${'\0'.repeat(octet)}${other}${'\0'.repeat(31 - octet)}`;
        assert.equal(memory.get(digest), undefined);
      }
    }
    assert.equal(memory.get('\0'.repeat(32)), 0);
  });

  it('never has more than it may, nor says anything of one that was said of another', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.tuple(fc.nat({ max: 300 }), fc.boolean()), { minLength: 100, maxLength: 1_000 }),
        (max, asks) => {
          const memory = digestMemory<string>(max);
          for (const [what, isAlike] of asks) {
            const digest = isAlike ? alike(what) : digestOf(what);
            const known = memory.get(digest);
            assert.ok(known === undefined || known === digest);
            memory.set(digest, digest);
            assert.equal(memory.get(digest), digest);
            assert.ok(memory.size <= max);
          }
        },
      ),
    );
  });

  it('pushes out, where it is full, what was not used since the one before was pushed out', () => {
    const memory = digestMemory<number>(100);
    for (let what = 0; what < 101; what++) memory.set(digestOf(what), what);
    assert.equal(memory.get(digestOf(0)), undefined);
    const used = Array.from({ length: 50 }, (_, index) => 1 + index * 2);
    for (const what of used) memory.get(digestOf(what));
    for (let what = 101; what < 150; what++) memory.set(digestOf(what), what);
    assert.deepEqual(
      used.map((what) => memory.get(digestOf(what))),
      used,
    );
    assert.equal(memory.size, 100);
  });

  it('looks at no more than some places for whoever finds digests that begin alike, and keeps the others', () => {
    const memory = digestMemory<number>(20_000);
    for (let what = 0; what < 5_000; what++) memory.set(digestOf(what), what);
    for (let what = 0; what < 5_000; what++) memory.set(alike(what), what);
    assert.ok(memory.size <= 5_256, `${memory.size}`);
    const known = Array.from({ length: 5_000 }, (_, what) => memory.get(digestOf(what)) === what);
    assert.ok(known.filter(Boolean).length > 4_990);
    assert.equal(memory.get(alike(4_999)), 4_999);
  });

  it('takes nothing for a digest that is none', () => {
    assert.throws(() => digestMemory<number>(1).set('short', 1), TypeError);
    assert.equal(digestMemory<number>(1).get(digestOf(1)), undefined);
  });
});
