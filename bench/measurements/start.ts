/** From the start of the process until /ready says so, on a store that has been polled from. */
import { cellOf, type Figure } from '../harness/figures.ts';
import { type Measurement, mainStore } from '../harness/measurement.ts';

export const start: Measurement = {
  name: 'start',
  about: 'start to ready, by size of the store',
  method: 'A restart on the store that all these polls have left, on all cores, until /ready is 200.',
  async run(stage) {
    const { stores, starts } = stage.size;
    const took = new Map<number, number[]>(stores.map((clusters) => [clusters, []]));
    for (const clusters of stores) await stage.swept(clusters);
    for (let round = 1; round <= starts; round++) {
      for (const clusters of stores) {
        stage.say(`start with ${clusters} clusters: ${round} of ${starts}`);
        took.get(clusters)?.push((await stage.restarted(clusters)).readyMs);
      }
    }
    await stage.endShared(mainStore(stage));
    return stores.map(
      (clusters): Figure => ({
        id: `start-${clusters}`,
        what: `start to ready, ${clusters.toLocaleString('en-GB')} clusters`,
        unit: 'ms',
        cells: { fluxgate: cellOf(took.get(clusters) ?? []) },
      }),
    );
  },
};
