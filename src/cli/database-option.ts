import { StartupError } from '../core/errors.ts';
import { parseDatabaseUrl } from '../shell/store/database-url.ts';
import type { CommandContext } from './context.ts';

/** The file of `--database`, else of DATABASE_URL; no default, because the wrong file restored is a fleet lost. */
export function databasePath(context: CommandContext, option: string | undefined): string {
  const url = option ?? context.environment['DATABASE_URL'];
  if (url === undefined) {
    throw new StartupError('name the store: --database sqlite://PATH, or set DATABASE_URL');
  }
  const location = parseDatabaseUrl(url);
  if (location.memory) throw new StartupError('a store in memory has no file to back up or restore');
  return location.path;
}
