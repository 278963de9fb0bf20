import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkHost, readTarget } from '../../../src/shell/http/target.ts';

describe('a host that was right before', () => {
  it('makes no other host, no other server name and no second line right', () => {
    for (let times = 1; times <= 2; times++) {
      checkHost(['gateway.example:8443'], 'gateway.example');
      checkHost(['gateway.example:8443'], 'gateway.example');
      for (const [hosts, serverName, code] of [
        [['attacker.example'], 'gateway.example', 'misdirected_request'],
        [['gateway.example:8443'], 'other.example', 'misdirected_request'],
        [['gateway.example:8443', 'gateway.example:8443'], 'gateway.example', 'malformed_request'],
        [[], 'gateway.example', 'malformed_request'],
        [['not a host'], 'not a host', 'malformed_request'],
      ] as const) {
        for (let again = 1; again <= 2; again++)
          assert.throws(() => checkHost(hosts, serverName), { code }, `${hosts} ${serverName}`);
      }
    }
    // Without SNI any host will do, and one that came so is not what a server name is held to.
    checkHost(['any.example'], undefined);
    assert.throws(() => checkHost(['any.example'], 'gateway.example'), { code: 'misdirected_request' });
  });
});

describe('a target', () => {
  it('has no dot segment wherever one may stand, and dots elsewhere as they are', () => {
    for (const path of ['/.', '/..', '/a/.', '/a/..', '/./a', '/../a', '/a/./b', '/a/../b'])
      assert.throws(() => readTarget(path), { code: 'malformed_request' }, path);
    for (const path of ['/.a', '/..a', '/...', '/a.', '/a..', '/a/.b', '/a.b/c'])
      assert.deepEqual(readTarget(path), { path, query: '' });
  });

  it('has only what a path may hold', () => {
    for (const path of [
      'a',
      '',
      '/a b',
      '/ä',
      '/a\\b',
      '/a"b',
      '/a#b',
      '/a\nb',
      '/a//b',
      '//',
      '/%41',
      '/a\0',
    ])
      assert.throws(() => readTarget(path), { code: 'malformed_request' }, JSON.stringify(path));
    assert.deepEqual(readTarget('/a/b/?x=/y?'), { path: '/a/b/', query: 'x=/y?' });
  });
});
