import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadContract } from '../../../src/shell/contract.ts';
import type { Parameters } from '../../../src/shell/http/router.ts';
import { readTarget } from '../../../src/shell/http/target.ts';

const { router, operations } = await loadContract();

function validated(method: string, path: string): Parameters {
  const target = readTarget(path);
  const route = router.match(method, target);
  assert.ok(route.found, path);
  return router.validate(route.operation, target, undefined);
}

describe('a path that was found valid before', () => {
  it('has the same parameters again', () => {
    for (const [path, parameters] of [
      ['/revisions/7', { revision: '7' }],
      ['/clusters/demo-cluster-01', { id: 'demo-cluster-01' }],
      ['/api/v2/flux/clusters/a.example.com/namespaces', { cluster_dns: 'a.example.com' }],
    ] as const) {
      for (let times = 1; times <= 3; times++) {
        assert.deepEqual(validated('GET', path), { path: parameters, query: {} }, `${path}, ${times}`);
      }
    }
  });

  it('says nothing of another path, of another method, or of the same with a query', () => {
    validated('GET', '/clusters/a');
    assert.deepEqual(validated('GET', '/clusters/b').path, { id: 'b' });
    assert.deepEqual(validated('DELETE', '/clusters/a?dry_run=true').query, { dry_run: true });
    assert.throws(() => validated('GET', '/clusters/a?no_such=1'), { code: 'validation_error' });
  });

  it('says nothing of a query where the path has no parameters either', () => {
    for (let times = 1; times <= 2; times++) {
      assert.deepEqual(validated('GET', '/health'), { path: {}, query: {} });
      assert.deepEqual(validated('GET', '/clusters?limit=3').query, { limit: 3 });
      assert.deepEqual(validated('GET', '/clusters').query, {});
      assert.throws(() => validated('GET', '/clusters?limit=x'), { code: 'validation_error' });
      assert.throws(() => validated('GET', '/health?a=1'), { code: 'validation_error' });
    }
  });

  it('is none that was refused', () => {
    for (let times = 1; times <= 2; times++) {
      assert.throws(() => validated('GET', `/clusters/${'x'.repeat(300)}`), { code: 'validation_error' });
      assert.throws(() => validated('GET', '/revisions/seven'), { code: 'validation_error' });
    }
  });
});

describe('a path without a query', () => {
  /** Values of a parameter that some operation refuses, and of which each is one segment of a path that a target may have. */
  const VALUES = [
    'a',
    'A',
    '7',
    '0',
    '-1',
    '1e3',
    'seven',
    'a.example.com',
    'A.example.com',
    'a..b',
    '-',
    '.a',
    'a_b',
    '~',
    "a'b",
    'a;b',
    'x'.repeat(64),
    'x'.repeat(254),
    'x'.repeat(4_000),
    'constructor',
    '__proto__',
    'rev-00',
    '0'.repeat(24),
    'f'.repeat(64),
  ];

  it('is valid where the library finds it valid, with the same parameters', () => {
    // With an empty query the library reads the whole request; a `?` alone is no query to either of them.
    let refused = 0;
    let taken = 0;
    for (const operation of operations.all.filter(({ path }) => path.includes('{'))) {
      for (const value of VALUES) {
        const path = operation.path.replaceAll(/\{\w+\}/g, value);
        const route = router.match(operation.method, { path, query: '' });
        if (!route.found || route.operation !== operation) continue;
        const outcome = (query: string): unknown => {
          try {
            return router.validate(operation, { path, query }, undefined).path;
          } catch (error) {
            return (error as { details?: readonly { field: string }[] }).details;
          }
        };
        const body = takesNoBody(operation.operationId);
        if (!body) continue;
        const short = outcome('');
        // A query that no operation knows is refused besides, so what is said of the path is compared where nothing else is wrong.
        const long = outcome('&');
        assert.deepEqual(short, long, `${operation.method} ${path}`);
        if (Array.isArray(short)) refused++;
        else taken++;
      }
    }
    assert.ok(refused > 50 && taken > 50, `${refused} refused, ${taken} taken`);
  });
});

const takesNoBody = (operationId: string): boolean => {
  const operation = operations.get(operationId);
  return operation !== undefined && router.mediaTypes(operation).length === 0;
};
