import { readFile, stat } from 'node:fs/promises';
import { StartupError } from '../core/errors.ts';
import { reasonOf } from '../core/file-reason.ts';
import type { FleetSchemas } from '../core/fleet/schemas.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from './log.ts';
import type { Store } from './store/store.ts';

/**
 * Fills a store that was never initialised, once: a fleet that an operator emptied stays empty. `fallback` is the text of a
 * seed for when no file is configured.
 */
export async function seedStore(
  store: Store,
  schemas: FleetSchemas,
  seedFile: string | undefined,
  fallback: string | undefined,
  log: Log,
): Promise<void> {
  if (await store.isInitialised()) {
    if (seedFile !== undefined)
      log.info({ seed_file: seedFile }, 'the store is initialised already; SEED_FILE is not read');
    return;
  }
  const name = seedFile ?? 'the demo fleet';
  const text = seedFile === undefined ? fallback : await readSeed(seedFile);
  if (text === undefined) {
    log.warn(
      'the store is empty and was never filled: if a fleet should be in it, look at DATABASE_URL and its volume',
    );
    return;
  }
  // Nearly every start finds a fleet, and needs none of this.
  const { loadSeed, parseSeed, unmetDependencies } = await import('../core/fleet/seed.ts');
  const { secretsIn } = await import('../core/fleet/secrets.ts');
  const fleet = parseSeed(text, name, schemas);
  await store.initialise((transactor) => loadSeed(transactor, fleet));
  log.info(
    {
      seed: name,
      clusters: fleet.clusters.length,
      platform_components: fleet.platform_components.length,
      namespaces: fleet.namespaces.length,
      rolebindings: fleet.rolebindings.length,
    },
    'store seeded',
  );
  warnOf(
    log,
    unmetDependencies(fleet),
    'the seed has components whose dependencies are missing: Flux waits for them',
  );
  warnOf(
    log,
    await secretsIn(fleet.clusters),
    'the seed has patches that look like secrets: everybody who reads the fleet reads them; use secret_refs',
  );
}

/** Of many alike, the first tell the story. */
const WARNED_MAX = 20;

function warnOf(log: Log, found: readonly string[], message: string): void {
  if (found.length > 0) log.warn({ total: found.length, found: found.slice(0, WARNED_MAX) }, message);
}

/** Read once, before anybody is served, so that it may be a pipe. */
async function readSeed(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > LIMITS.seedBytesMax)
      throw new StartupError(`SEED_FILE: ${path} is larger than ${LIMITS.seedBytesMax} octets`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError(`SEED_FILE: ${path} ${reasonOf(error)}`, error);
  }
}
