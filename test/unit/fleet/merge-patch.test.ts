import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergePatch } from '../../../src/core/fleet/merge-patch.ts';

/** RFC 7396, appendix A: original, patch, result. */
const APPENDIX_A: readonly (readonly [string, string, string])[] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
];

test('a merge patch gives what the table of RFC 7396 says', () => {
  for (const [original, patch, result] of APPENDIX_A) {
    assert.equal(
      JSON.stringify(mergePatch(JSON.parse(original), JSON.parse(patch))),
      result,
      `${original} + ${patch}`,
    );
  }
});

test('a merge patch changes neither of its arguments', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
      const before = JSON.stringify([target, patch]);
      mergePatch(target, patch);
      assert.equal(JSON.stringify([target, patch]), before);
    }),
    { seed: 7396, numRuns: 300 },
  );
});

test('a patch applied twice gives what it gave once', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
      const once = mergePatch(target, patch);
      assert.deepEqual(mergePatch(once, patch), once);
    }),
    { seed: 7396, numRuns: 300 },
  );
});

test('a key __proto__ stays a key and pollutes nothing', () => {
  const patch: unknown = JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}');
  const merged = mergePatch({ a: {} }, patch) as { a: object };
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.equal((merged as Record<string, unknown>).polluted, undefined);
  assert.equal(Object.getPrototypeOf(merged), Object.prototype);
  assert.equal(Object.getPrototypeOf(merged.a), Object.prototype);
  assert.deepEqual(Object.keys(merged.a), ['__proto__']);
});

test('a key that every object inherits is not taken for one that is there', () => {
  assert.deepEqual(mergePatch({}, { constructor: { name: 'x' } }), { constructor: { name: 'x' } });
});
