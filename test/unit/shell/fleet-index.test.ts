import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFleetIndex } from '../../../src/shell/fleet-index.ts';
import type { OutlineStore } from '../../../src/shell/store/outlines.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { sampleCluster, sampleComponent } from '../../support/fleet.ts';
import { temporaryDatabase } from '../store/temporary.ts';

const platform_components = [{ id: 'first', enabled: true }];
const NAMES = Array.from({ length: 1_100 }, (_, n) => `c-${String(n).padStart(4, '0')}`);

for (const isMadeAnew of [false, true]) {
  const how = isMadeAnew ? 'deleted and made anew' : 'deleted';
  test(`a page's last cluster that is ${how} before the next page hides nobody and shows nobody twice`, async (t) => {
    const store = await openSqliteStore(temporaryDatabase(t).url);
    t.after(() => store.close());
    await store.transact(async (fleet) => {
      await fleet.insert('platform_component', sampleComponent('first'));
      for (const name of NAMES) await fleet.insert('cluster', sampleCluster(name, { platform_components }));
    });

    const seen: string[] = [];
    let last = '';
    const clustersUsing: OutlineStore['clustersUsing'] = async (...given) => {
      const page = await store.outlines.clustersUsing(...given);
      seen.push(...page.map(({ id }) => id));
      if (last !== '') return page;
      last = page.at(-1)?.id ?? '';
      await store.transact((fleet) => fleet.remove('cluster', last));
      const again = sampleCluster(last, { platform_components });
      if (isMadeAnew) await store.transact((fleet) => fleet.insert('cluster', again));
      return page;
    };
    const index = createFleetIndex({ ...store, outlines: { ...store.outlines, clustersUsing } });
    const { revision: before } = await index.current();
    const changed = sampleComponent('first', { oci_tag: 'v2.0.0' });
    await store.transact((fleet) => fleet.replace('platform_component', changed));
    const { clusters } = await index.current();

    assert.ok(NAMES.indexOf(last) < NAMES.length - 1, 'there is a page after the first');
    const untouched = clusters.filter(({ touched }) => touched <= before).map(({ id }) => id);
    assert.deepEqual(untouched, []);
    const others = NAMES.filter((id) => id !== last);
    assert.deepEqual(
      clusters.map(({ id }) => id),
      isMadeAnew ? NAMES : others,
    );
    const twice = seen.filter((id, n) => id !== last && seen.indexOf(id) < n);
    assert.deepEqual(twice, []);
  });
}
