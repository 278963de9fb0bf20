import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FluxgateError } from '../../../src/core/errors.ts';
import { type Committed, UNGUARDED, type WriteTerms } from '../../../src/core/fleet/commit.ts';
import { CLUSTER_STATES } from '../../../src/core/fleet/objects.ts';
import type { PlanSummary } from '../../../src/core/fleet/plan-summary.ts';
import { CATALOGUE_KINDS, fluxRoute } from '../../../src/core/fleet/registry.ts';
import { renderInputs, serialiseInputs } from '../../../src/core/fleet/render.ts';
import {
  createObject,
  deleteObject,
  patchObject,
  putObject,
  setClusterState,
} from '../../../src/core/fleet/write.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import {
  fleetSchemas,
  sampleCluster,
  sampleComponent,
  sampleNamespace,
  sampleRolebinding,
} from '../../support/fleet.ts';
import { assertValidFluxAnswer } from '../../support/flux-answer.ts';

const schemas = fleetSchemas();
const COMPONENTS = ['a', 'b', 'c'];
const NAMESPACES = ['n', 'm'];
const CLUSTERS = ['x', 'y', 'z'];
const HEADERS = { 'content-type': 'application/json', connection: 'close' };

type Write = (store: Store, terms: WriteTerms) => Promise<Committed>;
interface NamedWrite {
  readonly name: string;
  readonly write: Write;
}

const named = (name: string, write: Write): NamedWrite => ({ name, write });
const cluster = fc.constantFrom(...CLUSTERS);
const assignments = fc
  .uniqueArray(fc.constantFrom(...COMPONENTS))
  .chain((ids) => fc.tuple(...ids.map((id) => fc.record({ id: fc.constant(id), enabled: fc.boolean() }))));
const namespaces = fc.uniqueArray(fc.constantFrom(...NAMESPACES)).map((ids) => ids.map((id) => ({ id })));
const document = fc.record(
  {
    platform_components: assignments,
    namespaces,
    environment: fc.constantFrom('dev' as const, 'prod' as const),
    cluster_dns: fc.constantFrom('x.k8s.example.com', 'moved.k8s.example.com'),
    node_count: fc.nat(9),
    patches: fc.constantFrom({}, { a: { k: '1' } }, { a: { k: '2' }, b: { k: '1' } }),
    secret_refs: fc.constantFrom({}, { c: { password: { name: 'n', key: 'k' } } }),
  },
  { requiredKeys: [] },
);

const write: fc.Arbitrary<NamedWrite> = fc.oneof(
  fc
    .tuple(cluster, document)
    .map(([id, body]) =>
      named(`put ${id} ${JSON.stringify(body)}`, (store, terms) =>
        store.transact((tx) => putObject('cluster', id, body, schemas, tx, terms)),
      ),
    ),
  fc
    .tuple(cluster, assignments, namespaces)
    .map(([id, platform_components, listed]) =>
      named(`create ${id}`, (store, terms) =>
        store.transact((tx) =>
          createObject(
            'cluster',
            sampleCluster(id, { platform_components, namespaces: listed }),
            schemas,
            tx,
            terms,
          ),
        ),
      ),
    ),
  cluster.map((id) =>
    named(`delete ${id}`, (store, terms) => store.transact((tx) => deleteObject('cluster', id, tx, terms))),
  ),
  fc
    .tuple(cluster, fc.constantFrom(...CLUSTER_STATES))
    .map(([id, state]) =>
      named(`${id} becomes ${state}`, (store, terms) =>
        store.transact((tx) => setClusterState(id, state, tx, terms)),
      ),
    ),
  fc
    .tuple(fc.constantFrom(...COMPONENTS), fc.nat(3))
    .map(([id, tag]) =>
      named(`tag ${id}`, (store, terms) =>
        store.transact((tx) =>
          patchObject('platform_component', id, { oci_tag: `v${tag}` }, schemas, tx, terms),
        ),
      ),
    ),
  fc
    .constantFrom(...NAMESPACES)
    .map((id) =>
      named(`detach ${id}`, (store, terms) =>
        store.transact((tx) => deleteObject('namespace', id, tx, terms, true)),
      ),
    ),
  fc
    .constantFrom(...COMPONENTS)
    .map((id) =>
      named(`detach ${id}`, (store, terms) =>
        store.transact((tx) => deleteObject('platform_component', id, tx, terms, true)),
      ),
    ),
);

/** DNS name and route → input id → enabled; what Flux would hold after polling. Each answer is a valid one. */
type Served = Map<string, Map<string, boolean>>;
const DNS = [...CLUSTERS.map((id) => `${id}.k8s.example.com`), 'moved.k8s.example.com'];

interface Polled {
  readonly bytes: string;
  readonly served: Served;
  /** DNS name, route and id → the input as text. */
  readonly inputs: ReadonlyMap<string, string>;
}

async function poll(store: Store): Promise<Polled> {
  const served: Served = new Map();
  const texts = new Map<string, string>();
  let bytes = '';
  for (const dns of DNS) {
    for (const kind of CATALOGUE_KINDS) {
      const inputs = await store.reader.clusterInputs(dns, kind);
      if (inputs === undefined) continue;
      const body = Buffer.from(inputs.pinned ?? serialiseInputs(renderInputs(kind, inputs)));
      assertValidFluxAnswer(body, HEADERS);
      bytes += `${dns} ${kind} ${body}\n`;
      const list = (JSON.parse(body.toString('utf8')) as { inputs: { id: string; enabled?: boolean }[] })
        .inputs;
      for (const input of list)
        texts.set(`${dns} ${fluxRoute(kind).segment}/${input.id}`, JSON.stringify(input));
      served.set(
        `${dns} ${fluxRoute(kind).segment}`,
        new Map(list.map(({ id, enabled }) => [id, enabled ?? true])),
      );
    }
  }
  return { bytes, served, inputs: texts };
}

/** Every input that came, went or changed, and no other, is in the plan: of clusters that are polled before and after. */
function assertPlanTold(name: string, { plan }: Committed, before: Polled, after: Polled): void {
  const polled = (key: string): boolean => {
    const [dns = '', input = ''] = key.split(' ');
    const route = `${dns} ${input.slice(0, input.indexOf('/'))}`;
    return before.served.has(route) && after.served.has(route);
  };
  const differing = [...new Set([...before.inputs.keys(), ...after.inputs.keys()])].filter(
    (key) => before.inputs.get(key) !== after.inputs.get(key),
  );
  const told = plan.clusters.flatMap(({ cluster_dns, routes }) =>
    routes.flatMap(({ route, inputs }) => inputs.map(({ id }) => `${cluster_dns} ${route}/${id}`)),
  );
  assert.deepEqual(told.filter(polled).sort(), differing.filter(polled).sort(), name);
}

/** What a cluster that keeps its route loses: a 404 takes nothing away, Flux keeps what it has. */
function losses(before: Served, after: Served): Map<string, string[]> {
  const lost = new Map<string, string[]>();
  for (const [route, inputs] of before) {
    const now = after.get(route);
    if (now === undefined) continue;
    const gone = [...inputs].filter(([id, enabled]) => !now.has(id) || (enabled && now.get(id) === false));
    const [dns = '', segment = ''] = route.split(' ');
    if (gone.length > 0) lost.set(dns, [...(lost.get(dns) ?? []), ...gone.map(([id]) => `${segment}/${id}`)]);
  }
  return lost;
}

test('for random fleets and writes: nothing is taken away but what a confirmed plan says, and every answer is valid', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(write, fc.boolean()), { minLength: 5, maxLength: 25 }),
      async (writes) => {
        const store = await openSqliteStore('sqlite::memory:');
        try {
          await store.transact(async (tx) => {
            await tx.insert('platform_component', sampleComponent('a'));
            await tx.insert('platform_component', sampleComponent('b', { depends_on: ['a'] }));
            await tx.insert('platform_component', sampleComponent('c'));
            for (const id of NAMESPACES) await tx.insert('namespace', sampleNamespace(id));
            await tx.insert('rolebinding', sampleRolebinding('r'));
            for (const id of CLUSTERS) {
              const everything = {
                platform_components: COMPONENTS.map((component) => ({ id: component, enabled: true })),
                namespaces: NAMESPACES.map((namespace) => ({ id: namespace })),
                rolebindings: [{ id: 'r' }],
              };
              await tx.insert('cluster', sampleCluster(id, everything));
            }
          });
          for (const [{ name, write: act }, confirms] of writes) await step(store, name, act, confirms);
        } finally {
          await store.close();
        }
      },
    ),
    { numRuns: 60 },
  );
});

async function step(store: Store, name: string, act: Write, confirms: boolean): Promise<void> {
  const before = await poll(store);
  const clusters = (await store.reader.list('cluster', { filters: {}, limit: 10, offset: 0 })).items;
  const stateOf = new Map(clusters.map(({ cluster_dns, state }) => [cluster_dns, state ?? 'active']));
  const guarded: WriteTerms = { ...UNGUARDED, pruneGuard: true };
  let outcome: Committed | FluxgateError = await attempt(() => act(store, guarded));
  if (!(outcome instanceof FluxgateError)) {
    // Unconfirmed: at most one input of one cluster goes, no namespace, and no route becomes empty.
    const after = await poll(store);
    const lost = [...losses(before.served, after.served)].filter(
      ([dns]) => stateOf.get(dns) !== 'decommissioning',
    );
    assert.ok(lost.length <= 1, `${name}: ${JSON.stringify(lost)}`);
    for (const [, inputs] of lost) {
      assert.ok(inputs.length <= 1 && !inputs[0]?.startsWith('namespaces/'), `${name}: ${inputs}`);
    }
    for (const [route, inputs] of before.served) {
      const [dns = ''] = route.split(' ');
      if (stateOf.get(dns) === 'decommissioning') continue;
      assert.ok(inputs.size === 0 || after.served.get(route)?.size !== 0, `${name} empties ${route}`);
      assert.ok(inputs.size === 0 || after.served.has(route), `${name} ends ${route}`);
    }
    for (const [dns, state] of stateOf) {
      const own = (bytes: string): string[] => bytes.split('\n').filter((line) => line.startsWith(`${dns} `));
      if (state === 'frozen' && !name.includes('becomes'))
        assert.deepEqual(own(after.bytes), own(before.bytes), name);
    }
    assertPlanTold(name, outcome, before, after);
    if (outcome.plan.clusters.length === 0) assert.equal(after.bytes, before.bytes, name);
    return;
  }
  assert.equal((await poll(store)).bytes, before.bytes, `${name} was refused and changes nothing`);
  if (outcome.code !== 'prune_guard' || !confirms) return;
  const { plan_hash: confirmPlan } = outcome.plan as PlanSummary;
  outcome = await attempt(() => act(store, { ...guarded, confirmPlan }));
  assert.ok(!(outcome instanceof FluxgateError), `${name}: the same plan again is carried out`);
  assert.equal(outcome.plan.hash, confirmPlan);
  const confirmed = await poll(store);
  assertPlanTold(name, outcome, before, confirmed);
  const promised = outcome.plan.clusters.flatMap(({ cluster_dns, routes }) =>
    routes.flatMap(({ route, inputs }) =>
      inputs
        .filter(({ change }) => change === 'removed' || change === 'disabled')
        .map(({ id }) => `${cluster_dns} ${route}/${id}`),
    ),
  );
  for (const [dns, inputs] of losses(before.served, confirmed.served)) {
    for (const input of inputs) assert.ok(promised.includes(`${dns} ${input}`), `${name}: ${dns} ${input}`);
  }
}

async function attempt(act: () => Promise<Committed>): Promise<Committed | FluxgateError> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof FluxgateError) return error;
    throw error;
  }
}
