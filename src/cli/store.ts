import type { Command } from 'commander';
import type { CommandHost } from './context.ts';

export function registerBackup(command: Command, { context }: CommandHost): void {
  command
    .option('--database <url>', 'the store; DATABASE_URL when absent')
    .requiredOption('--to <file>', 'where to; must not be there')
    .action(async (options: { database?: string; to: string }) =>
      (await import('./backup.ts')).backup(context, options),
    );
}

export function registerRestore(command: Command, { context }: CommandHost): void {
  command
    .option('--database <url>', 'the store; DATABASE_URL when absent')
    .requiredOption('--from <file>', 'the backup')
    .action(async (options: { database?: string; from: string }) =>
      (await import('./restore.ts')).restore(context, options),
    );
}
