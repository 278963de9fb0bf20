/** Fills a new store with a fleet, in a process of its own: `node seed-store.ts DATABASE_URL CLUSTERS COMPONENTS`. */
import { loadSeed, parseSeed } from '../../src/core/fleet/seed.ts';
import { openSqliteStore } from '../../src/shell/store/sqlite-store.ts';
import { fleetSchemas } from '../../test/support/fleet.ts';
import { fleetSeed } from './fleet-store.ts';

const [databaseUrl = '', clusters, components] = process.argv.slice(2);
const seed = JSON.stringify(fleetSeed(Number(clusters), Number(components)));
const fleet = parseSeed(seed, 'the fleet of the bench', fleetSchemas());
const store = await openSqliteStore(databaseUrl);
await store.initialise((transactor) => loadSeed(transactor, fleet));
await store.close();
