import { restoreStore } from '../shell/store/restore.ts';
import type { CommandContext } from './context.ts';
import { databasePath } from './database-option.ts';

/** Puts a backup in the place of a store that nobody uses. Throws StartupError (exit code 78); then nothing was changed. */
export async function restore(
  context: CommandContext,
  options: { readonly database?: string; readonly from: string },
): Promise<void> {
  const { path, aside, carriedOver } = restoreStore(databasePath(context, options.database), options.from);
  context.print(`restored ${path} from ${options.from}`);
  if (aside === undefined) return;
  context.print(`what was there before is kept as ${aside}`);
  context.print(
    carriedOver === undefined
      ? 'it cannot be read: revoke again what was revoked since the backup, before you start the gateway'
      : `carried over from it: ${carriedOver.revocations} revocations since the backup, and ${carriedOver.ratchets} clusters that have moved to certificates`,
  );
}
