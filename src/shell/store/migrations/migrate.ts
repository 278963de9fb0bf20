import type { Database } from 'better-sqlite3';
import { StartupError } from '../../../core/errors.ts';
import { copyDatabase, freePath } from '../copy.ts';
import { FLEET } from './0001-fleet.ts';
import { REVOCATIONS } from './0002-revocations.ts';
import { SIGHTINGS } from './0003-sightings.ts';
import { HISTORY } from './0004-history.ts';
import { SAFETY } from './0005-safety.ts';
import { TOKENS } from './0006-tokens.ts';
import { PAST_PINS } from './0007-past-pins.ts';
import { AUDIT } from './0008-audit.ts';
import { LIVENESS } from './0010-liveness.ts';
import { NUMBERED_OBJECTS } from './0011-numbered-objects.ts';

/** In order; `user_version` counts those applied. One that has shipped is never changed: the next one corrects it. */
export const MIGRATIONS: readonly string[] = [
  FLEET,
  REVOCATIONS,
  SIGHTINGS,
  HISTORY,
  SAFETY,
  TOKENS,
  PAST_PINS,
  AUDIT,
  LIVENESS,
  NUMBERED_OBJECTS,
];

/** The version of a store that this Fluxgate writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** From this version on, a store has revisions. */
export const REVISIONS_SINCE = MIGRATIONS.indexOf(HISTORY) + 1;

/** "FLXG": tells our files from those of other programs. */
export const APPLICATION_ID = 0x46_4c_58_47;

/**
 * All that is missing, in one transaction: whole or not at all. A store of an older version is copied first, to a file beside
 * it; `path` undefined: there is no file, so there is nothing to copy. Another process that starts at the same time waits,
 * and finds it done.
 */
export function migrate(database: Database, path: string | undefined): void {
  refuseForeign(database, path ?? ':memory:');
  for (;;) {
    const version = userVersion(database);
    if (version === MIGRATIONS.length) return;
    const seen = database.pragma('data_version', { simple: true });
    if (version > 0 && path !== undefined) backUp(database, path, version);
    const migrated = database
      .transaction(() => {
        // Somebody else wrote after the copy was made: it would not hold everything.
        if (database.pragma('data_version', { simple: true }) !== seen) return false;
        for (const sql of MIGRATIONS.slice(version)) database.exec(sql);
        database.pragma(`application_id = ${APPLICATION_ID}`);
        database.pragma(`user_version = ${MIGRATIONS.length}`);
        return true;
      })
      .immediate();
    if (migrated) return;
  }
}

function backUp(database: Database, path: string, version: number): void {
  const copy = freePath(`${path}.schema-${version}.backup`);
  try {
    copyDatabase(database, copy);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      `DATABASE_URL: ${path} is of an older version, and the backup before its upgrade cannot be written to ${copy} ` +
        `(${reason}): make room or let the directory be written; nothing was changed`,
      error,
    );
  }
}

function refuseForeign(database: Database, path: string): void {
  const version = userVersion(database);
  if (version > MIGRATIONS.length) {
    throw new StartupError(
      `DATABASE_URL: ${path} was written by a newer Fluxgate (schema ${version}, this one knows ${MIGRATIONS.length}): ` +
        'run that version, or restore the backup from before the upgrade: npm run -s fluxgate -- restore --database URL --from FILE',
    );
  }
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as {
    tables: number;
  };
  const applicationId = database.pragma('application_id', { simple: true });
  if (tables > 0 && applicationId !== APPLICATION_ID) {
    throw new StartupError(
      `DATABASE_URL: ${path} is another program's database: give Fluxgate a file of its own`,
    );
  }
}

function userVersion(database: Database): number {
  return database.pragma('user_version', { simple: true }) as number;
}
