import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StartupError } from '../../../src/core/errors.ts';
import { createTokenSet, parseTokens, readAuthorization } from '../../../src/core/identity/token.ts';
import { LIMITS } from '../../../src/core/limits.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('an Authorization header', () => {
  for (const [header, token] of [
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER  abc ', 'abc'],
    [basic('flux:abc'), 'abc'],
    [basic('flux:a:b'), 'a:b'],
    [basic(':abc'), 'abc'],
  ] as const) {
    it(`holds a token: ${header}`, () => assert.deepEqual(readAuthorization(header), { token }));
  }

  for (const header of [
    '',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,b',
    'Bearer "a"',
    'Bearer a\tb',
    'Digest abc',
    'abc',
    basic('abc'),
    basic('flux:'),
    basic('flux:a b'),
    'Basic !!!',
    `Bearer ${'a'.repeat(LIMITS.tokenBytesMax * 2)}`,
  ]) {
    it(`holds none: ${header.slice(0, 40)}`, () => assert.ok('problem' in readAuthorization(header)));
  }
});

describe('a set of tokens', () => {
  const set = createTokenSet(['read-1', 'read-2', 'both'], ['write-1', 'both']);

  it('knows each by its kind; what is in both lists may write', () => {
    assert.equal(set.match('read-1')?.kind, 'reader');
    assert.equal(set.match('read-2')?.kind, 'reader');
    assert.equal(set.match('write-1')?.kind, 'writer');
    assert.equal(set.match('both')?.kind, 'writer');
  });

  for (const presented of ['', 'read-', 'read-1 ', 'READ-1', 'read-11', 'x']) {
    it(`does not know "${presented}"`, () => assert.equal(set.match(presented), undefined));
  }

  it('holds nothing that could be printed by mistake', () => {
    assert.doesNotMatch(JSON.stringify([set, set.ids, set.match('read-1')]), /read-1|write-1|both/);
  });

  it('is empty when there are none, and then matches nothing', () => {
    assert.equal(createTokenSet([], []).match(''), undefined);
  });
});

describe('a token file', () => {
  it('has one token a line', () => {
    assert.deepEqual(parseTokens('one\n\n  two \r\nthree', 'AUTH_TOKEN_FILE'), ['one', 'two', 'three']);
  });

  for (const text of ['', '\n\n', 'one two', 'tokén', 'a"b', 'a,b', 'a'.repeat(LIMITS.tokenBytesMax + 1)]) {
    it(`cannot be "${text.slice(0, 20)}", and the error does not repeat it`, () => {
      assert.throws(
        () => parseTokens(text, 'AUTH_TOKEN_FILE'),
        (error: unknown) => {
          assert.ok(error instanceof StartupError);
          assert.match(error.message, /^AUTH_TOKEN_FILE/);
          return text.trim() === '' || !error.message.includes(text);
        },
      );
    });
  }
});
