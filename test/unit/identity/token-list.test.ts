import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTokenList, hashOfToken, type TokenEntry } from '../../../src/core/identity/token-list.ts';
import { makeToken } from '../../../src/core/identity/token-text.ts';

const NOW = 1_000_000;
const TOKEN = makeToken('cluster', new Uint8Array(32).fill(1));
const ENTRY: TokenEntry = {
  id: 'tok-1',
  name: 'east',
  kind: 'cluster',
  clusterDns: 'east.example.com',
  grants: undefined,
  sha256: hashOfToken(TOKEN),
  expiresMs: NOW + 1,
  revoked: false,
};

const problemOf = (entry: TokenEntry, token: string, nowMs: number): string => {
  const match = createTokenList([entry], 1).match(token, nowMs);
  return match.found ? '' : match.problem;
};

test('a live token is its principal until the millisecond in which it expires', () => {
  const list = createTokenList([ENTRY], 7);
  assert.equal(list.version, 7);
  assert.deepEqual(list.match(TOKEN, NOW), {
    found: true,
    tokenId: 'tok-1',
    principal: { kind: 'cluster_token', dns: 'east.example.com', tokenId: 'tok-1' },
  });
  assert.match(problemOf(ENTRY, TOKEN, NOW + 1), /tok-1 \(east\) has expired/);
});

test('the log tells revoked, expired, unknown, mistyped and foreign tokens apart', () => {
  assert.match(problemOf({ ...ENTRY, revoked: true }, TOKEN, NOW), /tok-1 \(east\) is revoked/);
  assert.match(
    problemOf(ENTRY, makeToken('cluster', new Uint8Array(32)), NOW),
    /^unknown token, of the form/,
  );
  assert.match(problemOf(ENTRY, TOKEN.slice(0, -1), NOW), /^mistyped/);
  assert.equal(problemOf(ENTRY, 'something-else', NOW), 'unknown token');
});

test('a record that does not say for whom it is makes no list', () => {
  assert.throws(() => createTokenList([{ ...ENTRY, clusterDns: undefined }], 1), /does not say for whom/);
  assert.throws(() => createTokenList([{ ...ENTRY, kind: 'operator' }], 1), /does not say for whom/);
});
