import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CatalogueKind, FleetReader } from '../../../src/core/fleet/access.ts';
import type { Cluster, FleetKind, FleetObject, FleetObjects } from '../../../src/core/fleet/objects.ts';
import { type ObjectChange, planCluster } from '../../../src/core/fleet/plan.ts';
import { planChanges } from '../../../src/core/fleet/plan-changes.ts';
import { CATALOGUE_KINDS } from '../../../src/core/fleet/registry.ts';
import { answersOf, type Catalogue, servedCluster } from '../../../src/core/fleet/served.ts';
import { sampleCluster, sampleComponent, sampleNamespace } from '../../support/fleet.ts';

type Fleet = ReadonlyMap<FleetKind, ReadonlyMap<string, FleetObject>>;

type FleetFields = typeof fleet extends fc.Arbitrary<infer T> ? T : never;

const word = fc.constantFrom('x', 'y');
const component = fc.record({
  component_path: word,
  component_version: word,
  oci_tag: word,
  cluster_env_enabled: fc.boolean(),
});
const assignment = fc.record(
  { id: fc.constantFrom('a', 'b', 'c'), enabled: fc.boolean(), oci_tag: word, component_path: word },
  { requiredKeys: ['id', 'enabled'] },
);
const refs = fc.dictionary(word, fc.record({ name: word, key: word }), { maxKeys: 1 });
const cluster = fc.record({
  cluster_name: word,
  environment: fc.constantFrom('dev' as const, 'prod' as const),
  platform_components: fc.uniqueArray(assignment, { selector: ({ id }) => id }),
  namespaces: fc.uniqueArray(fc.record({ id: fc.constantFrom('m', 'n') }), { selector: ({ id }) => id }),
  patches: fc.dictionary(fc.constantFrom('a', 'b'), fc.dictionary(word, word, { maxKeys: 2 }), {
    maxKeys: 2,
  }),
  secret_refs: fc.option(fc.dictionary(fc.constantFrom('a', 'b'), refs, { maxKeys: 2 }), { nil: undefined }),
});
const fleet = fc.record({
  components: fc.tuple(component, component, component),
  labels: fc.tuple(word, word),
  clusters: fc.array(cluster, { minLength: 3, maxLength: 3 }),
});

function built({ components, labels, clusters }: FleetFields): Fleet {
  const named = <T extends FleetObject>(objects: readonly T[]): ReadonlyMap<string, T> =>
    new Map(objects.map((object) => [object.id, object]));
  return new Map<FleetKind, ReadonlyMap<string, FleetObject>>([
    ['platform_component', named(components.map((fields, i) => sampleComponent('abc'[i] ?? '', fields)))],
    ['namespace', named(labels.map((team, i) => sampleNamespace('mn'[i] ?? '', { labels: { team } })))],
    [
      'cluster',
      named(
        clusters.map(({ secret_refs, ...fields }, i) =>
          sampleCluster(`k${i}`, { ...fields, ...(secret_refs === undefined ? {} : { secret_refs }) }),
        ),
      ),
    ],
  ]);
}

/** The objects of `next` that differ, and those that are picked though they do not. */
function changesBetween(before: Fleet, next: Fleet, picked: ReadonlySet<string>): ObjectChange[] {
  return [...before].flatMap(([kind, objects]) =>
    [...objects].flatMap(([id, object]): ObjectChange[] =>
      picked.has(id) ? [{ kind, id, before: object, after: next.get(kind)?.get(id) ?? object }] : [],
    ),
  );
}

function readerOf(objects: Fleet): FleetReader {
  const get = async (kind: FleetKind, id: string): Promise<unknown> => objects.get(kind)?.get(id);
  return {
    get,
    isRatcheted: async () => false,
    clustersUsing: async (_kind: CatalogueKind, id: string, after: string) =>
      ([...(objects.get('cluster')?.values() ?? [])] as Cluster[]).filter(
        (one) =>
          one.id > after && [...one.platform_components, ...one.namespaces].some((entry) => entry.id === id),
      ),
  } as unknown as FleetReader;
}

const catalogueOf =
  (objects: Fleet): Catalogue =>
  <K extends CatalogueKind>(kind: K, id: string) =>
    objects.get(kind)?.get(id) as FleetObjects[K];

test('a plan is the difference between all that is served before and all that is served after, though it looks at less', async () => {
  await fc.assert(
    fc.asyncProperty(
      fleet,
      fleet,
      fc.subarray([
        'cluster_name',
        'environment',
        'platform_components',
        'namespaces',
        'patches',
        'secret_refs',
      ] as const),
      fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'm', 'n', 'k0', 'k1', 'k2')),
      async (one, drawn, fields, picked) => {
        // Most writes change a field or two of a cluster, and leave the others as they are.
        const clusters = one.clusters.map((kept, i) => ({
          ...kept,
          ...Object.fromEntries(fields.map((field) => [field, drawn.clusters[i]?.[field]])),
        }));
        const other = { ...drawn, clusters };
        const before = built(one);
        const changes = changesBetween(before, built(other), new Set(picked));
        const after = new Map([...before].map(([kind, objects]) => [kind, new Map(objects)]));
        for (const { kind, id, after: object } of changes) {
          if (object !== undefined) after.get(kind)?.set(id, object);
        }
        const { plan } = await planChanges(changes, readerOf(before), async () => undefined);
        const whole = [...(before.get('cluster')?.keys() ?? [])].flatMap((id) => {
          const served = (objects: Fleet) => {
            const document = objects.get('cluster')?.get(id) as Cluster;
            const catalogue = catalogueOf(objects);
            // As if it were pinned: every input is rendered, and compared as it is.
            return servedCluster(
              document,
              CATALOGUE_KINDS,
              catalogue,
              undefined,
              answersOf(document, catalogue),
            );
          };
          return planCluster(served(before), served(after)) ?? [];
        });
        const lines = [...plan.objects, ...plan.clusters].map((part) => `${JSON.stringify(part)}\n`);
        const hash = createHash('sha256')
          .update(`fluxgate plan 1\n${lines.join('')}`)
          .digest('hex');
        assert.equal(plan.hash, hash, 'its hash is over all of its JSON');
        // A plan of the catalogue alone counts only the routes that may differ.
        const comparable = (clusters: typeof whole) =>
          clusters.map(({ served_before: _, ...shown }) => shown);
        assert.equal(
          JSON.stringify(comparable(plan.clusters as typeof whole)),
          JSON.stringify(comparable(whole)),
        );
      },
    ),
    { numRuns: 2_000 },
  );
});
