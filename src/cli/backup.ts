import { backUpStore } from '../shell/store/backup.ts';
import type { CommandContext } from './context.ts';
import { databasePath } from './database-option.ts';

/** A consistent copy of a store, live or not. Throws StartupError (exit code 78). */
export async function backup(
  context: CommandContext,
  options: { readonly database?: string; readonly to: string },
): Promise<void> {
  const { bytes, revision } = backUpStore(databasePath(context, options.database), options.to);
  context.print(`backed up to ${options.to}: ${bytes} bytes, checked, up to revision ${revision}`);
}
