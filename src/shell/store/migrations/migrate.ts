import type { Database } from 'better-sqlite3';
import { StartupError } from '../../../core/errors.ts';
import { FLEET } from './0001-fleet.ts';
import { REVOCATIONS } from './0002-revocations.ts';
import { SIGHTINGS } from './0003-sightings.ts';
import { TOKENS } from './0006-tokens.ts';

/** In order; `user_version` counts those applied. One that has shipped is never changed: the next one corrects it. */
const MIGRATIONS: readonly string[] = [FLEET, REVOCATIONS, SIGHTINGS, TOKENS];

/** "FLXG": tells our files from those of other programs. */
const APPLICATION_ID = 0x46_4c_58_47;

/** Each migration commits whole or not at all; another process that starts at the same time waits, and finds it done. */
export function migrate(database: Database, path: string): void {
  refuseForeign(database, path);
  for (const [index, sql] of MIGRATIONS.entries()) {
    database
      .transaction(() => {
        if (userVersion(database) > index) return;
        database.exec(sql);
        database.pragma(`application_id = ${APPLICATION_ID}`);
        database.pragma(`user_version = ${index + 1}`);
      })
      .immediate();
  }
}

function refuseForeign(database: Database, path: string): void {
  const version = userVersion(database);
  if (version > MIGRATIONS.length) {
    throw new StartupError(
      `DATABASE_URL: ${path} was written by a newer Fluxgate (schema ${version}, this one knows ${MIGRATIONS.length}): ` +
        'run that version, or restore the backup from before the upgrade',
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
