import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FluxgateError } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { parseStrictJson } from '../../src/core/strict-json.ts';

const parse = (text: string): unknown => parseStrictJson(Buffer.from(text, 'utf8'));

function refusal(octets: Uint8Array): FluxgateError {
  try {
    parseStrictJson(octets);
  } catch (error) {
    assert.ok(error instanceof FluxgateError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'it was accepted' });
}

describe('JSON in exactly one reading', () => {
  it('is what JSON.parse reads, where nothing is ambiguous', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('__proto__'));
        assert.deepEqual(parse(text), JSON.parse(text));
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  for (const [what, text, field] of [
    ['a key twice', '{"a":1,"a":1}', '/a'],
    ['a key twice, once escaped', '{"a":1,"\\u0061":2}', '/a'],
    ['a key twice, deep down', '{"x":[{"b":{"c":1,"c":2}}]}', '/x/0/b/c'],
    ['a key twice, with a pointer to escape', '{"a/b~c":1,"a/b~c":2}', '/a~1b~0c'],
    ['__proto__', '{"__proto__":{}}', '/__proto__'],
    ['__proto__, escaped', '{"\\u005f_proto__":1}', '/__proto__'],
  ] as const) {
    it(`refuses ${what}, and says where`, () => {
      const { code, details } = refusal(Buffer.from(text));
      assert.equal(code, 'validation_error');
      assert.equal(details?.[0]?.field, field);
    });
  }

  for (const text of [
    '',
    ' ',
    '{',
    '{"a":1,}',
    '[1,]',
    '{"a":/*c*/1}',
    '//c\n1',
    '\ufeff{}',
    'nul',
    "{'a':1}",
    '{a:1}',
    '01',
    '+1',
    'NaN',
    '"\n"',
    '{}{}',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(refusal(Buffer.from(text)).code, 'malformed_request');
    });
  }

  it('refuses what is not UTF-8, instead of repairing it', () => {
    for (const octets of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]) {
      assert.match(refusal(Uint8Array.from(octets)).message, /UTF-8/);
    }
  });

  it('refuses depth and numbers of keys that exist to exhaust something', () => {
    const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    parse(deep(LIMITS.jsonDepthMax));
    assert.match(refusal(Buffer.from(deep(LIMITS.jsonDepthMax + 1))).message, /nested deeper/);
    assert.match(refusal(Buffer.from('['.repeat(500_000))).message, /nested deeper/);
    const keys = Array.from({ length: LIMITS.jsonKeysMax + 1 }, (_, i) => `"${i}":0`).join();
    assert.match(refusal(Buffer.from(`{${keys}}`)).message, /keys/);
  });

  it('refuses more values than a document of ours has, wherever they are, and takes as many', () => {
    const list = (values: number): Uint8Array => Buffer.from(`[${'0,'.repeat(values - 2)}0]`);
    for (const [max, ofThis] of [
      [LIMITS.jsonValuesMax, parseStrictJson],
      [10, (octets: Uint8Array) => parseStrictJson(octets, 10)],
    ] as const) {
      assert.equal((ofThis(list(max)) as unknown[]).length, max - 1);
      assert.throws(() => ofThis(list(max + 1)), new RegExp(`more than ${max} values`));
    }
    for (const text of [
      '{"a":[[],[],{"b":1}],"c":null}',
      '[[[[[[]]]]]]',
      '{"a":1,"b":2,"c":3,"d":4,"e":5}',
    ]) {
      assert.deepEqual(
        parseStrictJson(Buffer.from(text), text.startsWith('{"a":[') ? 7 : 6),
        JSON.parse(text),
      );
      assert.throws(() => parseStrictJson(Buffer.from(text), 5), /more than 5 values/);
    }
  });

  it('takes the same key in different objects', () => {
    assert.deepEqual(parse('{"a":{"b":1},"c":[{"b":2},{"b":3}]}'), { a: { b: 1 }, c: [{ b: 2 }, { b: 3 }] });
  });
});
