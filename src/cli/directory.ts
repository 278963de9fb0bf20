import { type Command, Option } from 'commander';
import { type ApiOptions, apiOptions } from './api/options.ts';
import type { CommandHost } from './context.ts';
import type { ImportOptions } from './import.ts';
import { writeOptions } from './writes/options.ts';

export interface ExportOptions extends ApiOptions {
  readonly dir: string;
  readonly yes?: boolean;
}

export function registerExport(command: Command, { context }: CommandHost): void {
  apiOptions(command)
    .requiredOption('--dir <directory>', 'where to')
    .option('--yes', "also over what another fleet's export wrote there, which is deleted")
    .action(async (options: ExportOptions) => (await import('./export.ts')).exportFleet(context, options));
}

export function registerImport(command: Command, { context }: CommandHost): void {
  writeOptions(command, { creates: true })
    .requiredOption('--dir <directory>', 'what export wrote, edited')
    .addOption(
      new Option('--mode <mode>', 'bring in what is there, or also remove what is not')
        .choices(['merge', 'authoritative'])
        .makeOptionMandatory(),
    )
    .action(async (options: ImportOptions) => (await import('./import.ts')).importFleet(context, options));
}
