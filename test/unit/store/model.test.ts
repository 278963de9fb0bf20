import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FluxgateError } from '../../../src/core/errors.ts';
import type { FleetReader, FleetTransactor } from '../../../src/core/fleet/access.ts';
import type { FleetKind, FleetObject } from '../../../src/core/fleet/objects.ts';
import { FLEET_KINDS } from '../../../src/core/fleet/registry.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { sampleCluster, sampleComponent, sampleNamespace, sampleRolebinding } from '../../support/fleet.ts';
import { FleetModel } from './model.ts';
import { temporaryDirectory } from './temporary.ts';

type Write =
  | { readonly verb: 'insert' | 'replace'; readonly kind: FleetKind; readonly object: FleetObject }
  | { readonly verb: 'remove'; readonly kind: FleetKind; readonly id: string };

/** Few ids, so that writes meet. */
const IDS = ['a', 'b', 'c', 'd'] as const;
const id = fc.constantFrom(...IDS);
const ids = fc.uniqueArray(id, { maxLength: 3 });

const objects: fc.Arbitrary<{ readonly kind: FleetKind; readonly object: FleetObject }> = fc.oneof(
  fc
    .record({
      name: id,
      dns: id,
      environment: fc.constantFrom('dev' as const, 'qa' as const),
      components: ids,
      spaces: ids,
      bindings: ids,
    })
    .map((given) => ({
      kind: 'cluster' as const,
      object: sampleCluster(given.name, {
        cluster_dns: `${given.dns}.example.com`,
        environment: given.environment,
        platform_components: given.components.map((name) => ({ id: name, enabled: true })),
        namespaces: given.spaces.map((name) => ({ id: name })),
        rolebindings: given.bindings.map((name) => ({ id: name })),
      }),
    })),
  fc.tuple(id, ids, fc.constantFrom('1', '2')).map(([name, depends, version]) => ({
    kind: 'platform_component' as const,
    object: sampleComponent(name, {
      component_version: version,
      depends_on: depends.filter((other) => other !== name),
    }),
  })),
  fc.tuple(id, fc.constantFrom('x', 'y')).map(([name, team]) => ({
    kind: 'namespace' as const,
    object: sampleNamespace(name, { labels: { team } }),
  })),
  id.map((name) => ({ kind: 'rolebinding' as const, object: sampleRolebinding(name) })),
);

const write: fc.Arbitrary<Write> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom('insert' as const, 'replace' as const), objects)
      .map(([verb, entry]) => ({ verb, ...entry })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ verb: fc.constant('remove' as const), kind: fc.constantFrom(...FLEET_KINDS), id }),
  },
);
const transaction = fc.record({
  writes: fc.array(write, { minLength: 1, maxLength: 12 }),
  commits: fc.boolean(),
});

function outcome(error: unknown): string {
  assert.ok(error instanceof FluxgateError, String(error));
  return error.code;
}

async function apply(tx: FleetTransactor, given: Write): Promise<string> {
  try {
    if (given.verb === 'remove') await tx.remove(given.kind, given.id);
    else await tx[given.verb](given.kind, given.object as never);
    return 'done';
  } catch (error) {
    return outcome(error);
  }
}

function applyToModel(model: FleetModel, given: Write): string {
  try {
    if (given.verb === 'remove') model.remove(given.kind, given.id);
    else model[given.verb](given.kind, given.object);
    return 'done';
  } catch (error) {
    return outcome(error);
  }
}

async function assertSame(reader: FleetReader, model: FleetModel): Promise<void> {
  for (const kind of FLEET_KINDS) {
    const query = { filters: {}, limit: 3, offset: 1 };
    assert.deepEqual(await reader.list(kind, query), model.list(kind, query));
    for (const name of IDS) {
      assert.deepEqual(await reader.get(kind, name), model.get(kind, name));
      assert.deepEqual(await reader.usersOf(kind, name, 100), model.usersOf(kind, name));
    }
  }
  for (const filters of [{ environment: 'qa' }, { cluster_dns: 'a.example.com' }]) {
    const query = { filters, limit: 9, offset: 0 };
    assert.deepEqual(await reader.list('cluster', query), model.list('cluster', query));
  }
  for (const name of IDS) {
    const query = { filters: { cluster_dns: `${name}.example.com` }, limit: 1, offset: 0 };
    const inputs = await reader.clusterInputs(`${name}.example.com`, 'platform_component');
    const cluster = model.list('cluster', query).items[0];
    assert.deepEqual(inputs?.cluster, cluster);
    const assigned = inputs?.cluster.platform_components.map((entry) =>
      model.get('platform_component', entry.id),
    );
    assert.deepEqual(inputs?.entries, assigned);
  }
}

test('under any writes, committed or rolled back, the store answers like a plain map', async (t) => {
  const directory = temporaryDirectory(t);
  let run = 0;
  const property = fc.asyncProperty(
    fc.array(transaction, { maxLength: 8 }),
    fc.boolean(),
    async (transactions, inMemory) => {
      run++;
      const store = await openSqliteStore(inMemory ? 'sqlite::memory:' : `sqlite://${directory}/${run}.db`);
      let model = new FleetModel();
      for (const { writes, commits } of transactions) {
        const attempt = model.copy();
        const work = store.transact(async (tx) => {
          for (const given of writes) assert.equal(await apply(tx, given), applyToModel(attempt, given));
          await assertSame(tx, attempt);
          if (!commits) throw new Error('rolled back on purpose');
        });
        if (commits) {
          await work;
          model = attempt;
        } else await assert.rejects(work, /rolled back on purpose/);
        await assertSame(store.reader, model);
      }
      await store.close();
    },
  );
  await fc.assert(property, { seed: 20_261_121, numRuns: 60 });
});
