import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { renderInputs, serialiseInputs } from '../../../src/core/fleet/render.ts';
import type { PollRecord, RoutePolls } from '../../../src/core/liveness/polls.ts';
import { createFleetIndex } from '../../../src/shell/fleet-index.ts';
import { createFleetStatus, type FleetStatus } from '../../../src/shell/fleet-status.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { sampleCluster, sampleComponent } from '../../support/fleet.ts';
import { movedClock } from '../../support/fleet-status.ts';
import { temporaryDatabase } from '../store/temporary.ts';

const NAMES = ['east', 'north', 'south', 'west'];
const dns = (id: string): string => `${id}.k8s.example.com`;
const ROUTE = 'platform-components';

interface Stage {
  readonly store: Store;
  readonly clock: ReturnType<typeof movedClock>;
  /** What is known of polls; the test's to write. */
  readonly records: Map<string, PollRecord>;
  /** As the cluster would be served now. */
  poll(id: string, change?: Partial<RoutePolls>): Promise<void>;
  /** Without a memory, as after a start. */
  start(): { readonly status: FleetStatus; readonly rendered: string[] };
}

/** Four clusters that have all polled what they are served: two with one component, two with another. */
async function stage(t: TestContext): Promise<Stage> {
  const store = await openSqliteStore(temporaryDatabase(t).url);
  t.after(() => store.close());
  await store.transact(async (fleet) => {
    for (const id of ['first', 'second']) await fleet.insert('platform_component', sampleComponent(id));
    for (const [n, id] of NAMES.entries()) {
      const platform_components = [{ id: n < 2 ? 'first' : 'second', enabled: true }];
      await fleet.insert('cluster', sampleCluster(id, { platform_components }));
    }
  });
  const clock = movedClock();
  const records = new Map<string, PollRecord>();
  const poll: Stage['poll'] = async (id, change = {}) => {
    const inputs = await store.reader.clusterInputs(dns(id), 'platform_component');
    assert.ok(inputs);
    const text = serialiseInputs(renderInputs('platform_component', inputs));
    const polls: RoutePolls = {
      lastMs: clock.now(),
      burstsMs: [clock.now()],
      sinceMs: clock.now(),
      revision: inputs.revision,
      digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
      credential: { method: 'certificate', name: dns(id) },
      client: undefined,
      ...change,
    };
    records.set(dns(id), { [ROUTE]: { polls } });
  };
  for (const id of NAMES) await poll(id);
  return {
    store,
    clock,
    records,
    poll,
    start() {
      const rendered: string[] = [];
      const reader: Store['reader'] = {
        ...store.reader,
        clusterInputs(name, kind) {
          rendered.push(name.split('.', 1)[0] ?? '');
          return store.reader.clusterInputs(name, kind);
        },
      };
      const status = createFleetStatus({
        index: createFleetIndex({ ...store, reader }),
        liveness: {
          of: (name: string) => records.get(name),
          versionOf: (name: string) => versionOf(records.get(name)),
          hasServed: () => false,
          refresh: async () => undefined,
          reportsVersion: () => undefined,
          reportsOf: async () => ({}),
        } as never,
        refusals: { ofCluster: () => [] },
        operations: new Map() as never,
        reader,
        clock,
        presentations: { certificateOf: () => undefined, loaded: async () => undefined },
      });
      return { status, rendered };
    },
  };
}

const versions = new WeakMap<PollRecord, number>();
let versionsMade = 0;

/** One of each object. */
function versionOf(record: PollRecord | undefined): number | undefined {
  if (record === undefined) return undefined;
  const known = versions.get(record) ?? ++versionsMade;
  versions.set(record, known);
  return known;
}

const change = (store: Store, component: string, oci_tag: string): Promise<void> =>
  store.transact((fleet) => fleet.replace('platform_component', sampleComponent(component, { oci_tag })));
/** By id; each is counted as what it is shown as. */
const statesOf = async (status: FleetStatus): Promise<readonly string[]> => {
  const { clusters, counts } = await status.list({}, 10, 0);
  const states = clusters.map(({ status: { state } }) => state);
  for (const [state, counted] of Object.entries(counts)) {
    assert.equal(states.filter((one) => one === state).length, counted, state);
  }
  return states;
};

test('after a start nothing is rendered where the revisions say that nothing has changed', async (t) => {
  const { start } = await stage(t);
  const { status, rendered } = start();
  assert.deepEqual(await statesOf(status), ['current', 'current', 'current', 'current']);
  assert.deepEqual(rendered, []);
});

test('after a start exactly those are rendered that were touched since they polled, and once', async (t) => {
  const { store, poll, start } = await stage(t);
  await change(store, 'first', 'v2.0.0');
  await poll('north');
  for (const tag of ['v2.0.0', 'v1.0.0']) await change(store, 'second', tag);
  await store.transact((fleet) =>
    fleet.replace('cluster', sampleCluster('west', { platform_components: [] })),
  );
  const { status, rendered } = start();
  // `south` was touched and is answered the same all the same.
  assert.deepEqual(await statesOf(status), ['behind', 'current', 'current', 'behind']);
  assert.deepEqual(rendered.toSorted(), ['east', 'south', 'west']);
  assert.deepEqual((await status.counts()).counts.behind, 2);
  assert.equal(rendered.length, 3);
  await poll('east');
  assert.deepEqual(await statesOf(status), ['current', 'current', 'current', 'behind']);
});

test('what was touched before the start stays so when the fleet changes afterwards', async (t) => {
  const { store, start } = await stage(t);
  await change(store, 'first', 'v2.0.0');
  const { status } = start();
  // Asked for the first time only after another change, which has nothing to do with it.
  await status.counts();
  await change(store, 'second', 'v2.0.0');
  assert.deepEqual(await statesOf(status), ['behind', 'behind', 'behind', 'behind']);
  await change(store, 'second', 'v1.0.0');
  assert.deepEqual(await statesOf(status), ['behind', 'behind', 'current', 'current']);
  await store.transact((fleet) => fleet.remove('cluster', 'east').then(() => undefined));
  assert.deepEqual(await statesOf(status), ['behind', 'current', 'current']);
});

test('behind for a longer time than revisions were looked back over before', async (t) => {
  const { store, poll, start } = await stage(t);
  await change(store, 'first', 'v2.0.0');
  for (let n = 0; n < 150; n++) await change(store, 'second', `v3.${n}.0`);
  for (const id of ['south', 'west']) await poll(id);
  const { status } = start();
  assert.deepEqual(await statesOf(status), ['behind', 'behind', 'current', 'current']);
});

test('a revision that is not known here says nothing: the store was put back to an earlier moment', async (t) => {
  const { poll, start } = await stage(t);
  await poll('east', { revision: 99, digest: 'sha256:of-a-time-that-never-was' });
  await poll('west', { revision: 99 });
  const { status, rendered } = start();
  assert.deepEqual(await statesOf(status), ['behind', 'current', 'current', 'current']);
  assert.deepEqual(rendered, ['east', 'west']);
});

test('a program that renders otherwise than the one before finds out who is behind', async (t) => {
  const { poll, start } = await stage(t);
  await poll('south', { digest: 'sha256:as-it-was-rendered-before' });
  const { status } = start();
  await status.verify();
  assert.deepEqual(await statesOf(status), ['current', 'current', 'behind', 'current']);
  await poll('south');
  assert.deepEqual(await statesOf(status), ['current', 'current', 'current', 'current']);
});

test('a state that is remembered ends with the time', async (t) => {
  const { clock, poll, start } = await stage(t);
  const { status } = start();
  const overdue = async (): Promise<number> => (await status.counts()).counts.overdue;
  assert.equal(await overdue(), 0);
  // Three of the interval that is taken for granted, and not the 20 minutes that are the least.
  clock.forward(25 * 60_000);
  assert.equal(await overdue(), 0);
  clock.forward(6 * 60_000);
  assert.equal(await overdue(), 4);
  await poll('east');
  assert.equal(await overdue(), 3);
});
