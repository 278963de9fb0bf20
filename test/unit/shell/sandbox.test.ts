import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../../src/core/config.ts';
import { StartupError } from '../../../src/core/errors.ts';
import { COMPILE_CACHE } from '../../../src/shell/compile-cache.ts';
import {
  allocatorVariables,
  apart,
  assertSandboxed,
  dropBeforeListening,
  grantsOf,
  opensslOptions,
} from '../../../src/shell/sandbox.ts';

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

describe('what stays readable without need', () => {
  const environment = {
    TLS_CERT_FILE: '/etc/fg/tls.crt',
    TLS_KEY_FILE: '/etc/fg/tls.key',
    CLUSTER_CA_FILE: '/etc/fg/ca.crt',
    DATABASE_URL: 'sqlite:///var/lib/fluxgate/fleet.db',
  };
  const notesOf = (more: Record<string, string>) =>
    grantsOf(parseConfig({ ...environment, ...more }), '/').notes;

  it('is nothing where each name is one of its own', () => {
    assert.deepEqual(notesOf({ CRL_DIR: '/var/lib/crl' }), []);
  });

  it('is named with what to do: the data directory, with whose name that of the seed begins', () => {
    const [note = '', ...others] = notesOf({ SEED_FILE: '/var/lib/fluxgate.seed.json' });
    assert.deepEqual(others, []);
    assert.match(note, /all of \/var\/lib stays readable.*\/var\/lib\/fluxgate: give it/);
  });

  it('is named with what to do: a directory that is listed, whose name another begins with', () => {
    const [note = '', ...others] = notesOf({ CRL_DIR: '/etc/fg/tls' });
    assert.deepEqual(others, []);
    assert.match(note, /all of \/etc\/fg stays readable.*\/etc\/fg\/tls: give it/);
  });

  it('is named with what to do: the audit key in a directory that is granted', () => {
    const [note = '', ...others] = notesOf({
      CRL_DIR: '/etc/crl',
      AUDIT_SIGNING_KEY_FILE: '/etc/crl/audit.key',
    });
    assert.deepEqual(others, []);
    assert.match(note, /\/etc\/crl\/audit\.key stays readable, for it is in \/etc\/crl: move/);
    assert.deepEqual(notesOf({ AUDIT_SIGNING_KEY_FILE: '/etc/fg/audit.key' }), []);
  });
});

describe('the allocator', () => {
  it('is told to keep more at hand, unless somebody has told it something', () => {
    assert.deepEqual(allocatorVariables({}), {
      GLIBC_TUNABLES:
        'glibc.malloc.tcache_count=500:glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=65536:glibc.malloc.trim_threshold=2097152',
    });
    assert.deepEqual(allocatorVariables({ GLIBC_TUNABLES: '' }), {});
  });
});

describe("OpenSSL's configuration", () => {
  it('is ours, unless whoever starts the gateway has named one', () => {
    const [option = '', ...others] = opensslOptions({ NODE_OPTIONS: '--max-http-header-size=8192' }, [
      '--trace-warnings',
    ]);
    assert.deepEqual(others, []);
    assert.match(option, /^--openssl-config=\/.*\/src\/shell\/tls\/openssl\.cnf$/);
    assert.deepEqual(opensslOptions({ OPENSSL_CONF: '' }, []), []);
    assert.deepEqual(opensslOptions({ NODE_OPTIONS: '--use-openssl-ca --openssl-shared-config' }, []), []);
    assert.deepEqual(opensslOptions({}, ['--openssl-config=/etc/fips.cnf']), []);
    assert.deepEqual(opensslOptions({}, ['--openssl-config', '/etc/fips.cnf']), []);
  });

  it('is not ours where one was named with underscores, which are dashes to Node', () => {
    assert.deepEqual(opensslOptions({ NODE_OPTIONS: '--openssl_config=/etc/fips.cnf' }, []), []);
    assert.deepEqual(opensslOptions({ NODE_OPTIONS: '--openssl_shared-config' }, []), []);
    assert.deepEqual(opensslOptions({}, ['--openssl-shared_config']), []);
  });
});

describe('a sandbox', () => {
  const grants = { read: ['/a'], readAtStart: [], writeAtStart: [], notes: [] };
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

describe('compiled code', () => {
  const config = parseConfig({
    TLS_CERT_FILE: '/t/tls.crt',
    TLS_KEY_FILE: '/t/tls.key',
    CLUSTER_CA_FILE: '/t/ca.crt',
    DATABASE_URL: 'sqlite:///data/fluxgate.db',
  });

  it('is kept beside the sources, out of reach of whoever can write to the store', () => {
    assert.deepEqual(grantsOf(config, '/').writeAtStart, ['/data/fluxgate.db*', COMPILE_CACHE]);
    assert.match(COMPILE_CACHE, /\/node_modules\/\.cache\/fluxgate$/);
  });

  it('is written by a start only', () => {
    const dropped: string[] = [];
    const all = { has: () => true, drop: (scope: string) => void dropped.push(scope) };
    dropBeforeListening(all, grantsOf(config, '/'));
    assert.ok(dropped.includes('fs.write'));
  });
});
