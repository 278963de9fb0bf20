import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StartupError } from '../../../src/core/errors.ts';
import { allocatorVariables, apart, assertSandboxed } from '../../../src/shell/sandbox.ts';

describe('grants', () => {
  it('leave out what lies in a directory that is granted', () => {
    assert.deepEqual(apart(['/a/b'], ['/a/b/c', '/a/d', '/a/b/e/f']), ['/a/b', '/a/d']);
  });

  it('take the directory above where a name begins like another', () => {
    assert.deepEqual(apart(['/a/x/crl'], ['/a/x/crl.pem', '/a/y']), ['/a/x', '/a/y']);
    assert.deepEqual(apart(['/a/x/crl', '/a/x/crl-2'], []), ['/a/x']);
  });

  it('never are the whole file system', () => {
    assert.throws(() => apart(['/data'], ['/data-2/f']), StartupError);
  });
});

describe('the allocator', () => {
  it('is told to keep more at hand, unless somebody has told it something', () => {
    assert.deepEqual(allocatorVariables({}), { GLIBC_TUNABLES: 'glibc.malloc.tcache_count=500' });
    assert.deepEqual(allocatorVariables({ GLIBC_TUNABLES: '' }), {});
  });
});

describe('a sandbox', () => {
  const grants = { read: ['/a'], readAtStart: [], writeAtStart: [] };
  const permission = (scopes: readonly string[]) => ({
    has: (scope: string, path?: string) => (path === undefined ? scopes.includes(scope) : path === '/a'),
    drop: () => undefined,
  });

  it('in which more is granted than should be is none', () => {
    for (const scope of ['child', 'worker', 'inspector', 'wasi', 'ffi', 'fs.read', 'fs.write']) {
      assert.throws(
        () => assertSandboxed(permission([scope]), grants),
        /^StartupError: SANDBOX: .*NODE_OPTIONS/,
      );
    }
  });

  it('that refuses nothing is none', () => {
    assert.throws(() => assertSandboxed(permission([]), grants), /nothing is refused/);
  });
});
