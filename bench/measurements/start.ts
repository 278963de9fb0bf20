/** From the start of the process until /ready says so, on a store that has been polled from. */
import type { Figure } from '../harness/figures.ts';
import { type Measurement, mainStore, Samples } from '../harness/measurement.ts';

const ENDS = [
  ['SIGTERM', 'start', 'start to ready'],
  ['SIGKILL', 'start-killed', 'start to ready after a kill'],
] as const;

export const start: Measurement = {
  name: 'start',
  about: 'start to ready, by size of the store',
  method:
    'A restart on the store that all these polls have left, on all cores, until /ready is 200, while the other gateways stand still. After an orderly end a large store is sealed, after a kill it is not, and is checked first.',
  async run(stage) {
    const { stores, starts } = stage.size;
    const took = new Samples();
    for (const clusters of stores) await stage.swept(clusters);
    for (let round = 1; round <= starts; round++) {
      for (const clusters of stores) {
        stage.say(`start with ${clusters} clusters: ${round} of ${starts}`);
        for (const [end, id] of ENDS)
          took.add('fluxgate', `${id}-${clusters}`, (await stage.restarted(clusters, end)).readyMs);
      }
    }
    await stage.endShared(mainStore(stage));
    return ENDS.flatMap(([, id, what]) =>
      stores.map(
        (clusters): Figure => ({
          id: `${id}-${clusters}`,
          what: `${what}, ${clusters.toLocaleString('en-GB')} clusters`,
          unit: 'ms',
          cells: { fluxgate: took.cell('fluxgate', `${id}-${clusters}`) },
        }),
      ),
    );
  },
};
