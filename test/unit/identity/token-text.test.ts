import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  makeToken,
  readTokenText,
  TOKEN_KINDS,
  TOKEN_PATTERN,
} from '../../../src/core/identity/token-text.ts';

const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('a token has its form, whatever chance gives, and no two secrets have one token', () => {
  for (const octet of [0, 1, 255]) {
    const token = makeToken('operator', new Uint8Array(32).fill(octet));
    assert.match(token, TOKEN_PATTERN);
    assert.equal(readTokenText(token), 'well-formed');
  }
  fc.assert(
    fc.property(fc.constantFrom(...TOKEN_KINDS), secrets, secrets, (kind, one, other) => {
      const token = makeToken(kind, one);
      assert.equal(readTokenText(token), 'well-formed');
      const same = Buffer.from(one).equals(Buffer.from(other));
      assert.equal(makeToken(kind, other) === token, same);
    }),
  );
  assert.throws(() => makeToken('reader', new Uint8Array(31)), RangeError);
});

test('any one character that is wrong, missing, doubled or swapped makes a token mistyped', () => {
  const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  fc.assert(
    fc.property(secrets, fc.nat(47), fc.nat(61), (secret, at, digit) => {
      const token = makeToken('cluster', secret);
      const place = 5 + at;
      const wrong = [
        token.slice(0, place) + DIGITS.charAt(digit) + token.slice(place + 1),
        token.slice(0, place) + token.slice(place + 1),
        token.slice(0, place) + token.charAt(place) + token.slice(place),
        token.slice(0, place) + token.charAt(place + 1) + token.charAt(place) + token.slice(place + 2),
        token.replace('fxgc_', 'fxgo_'),
        token.replace('fxgc_', 'fxgx_'),
        `${token}=`,
      ];
      for (const text of wrong) if (text !== token) assert.equal(readTokenText(text), 'mistyped', text);
    }),
  );
});

test('what does not begin like a token of ours is foreign', () => {
  for (const text of ['', 'x', 'fxg_', 'FXGC_abc', 'ghp_abc', ' fxgc_', 'eyJhbGciOiJub25lIn0.e30.']) {
    assert.equal(readTokenText(text), 'foreign', text);
  }
});
