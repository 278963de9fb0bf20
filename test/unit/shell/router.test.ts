import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadContract } from '../../../src/shell/contract.ts';
import type { Parameters } from '../../../src/shell/http/router.ts';
import { readTarget } from '../../../src/shell/http/target.ts';

const { router } = await loadContract();

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
