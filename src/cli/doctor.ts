import type { Command } from 'commander';
import { type ApiOptions, apiOptions } from './api/options.ts';
import type { CommandHost } from './context.ts';

export interface DoctorOptions extends ApiOptions {
  readonly server?: boolean;
  readonly client?: boolean;
  readonly output: 'table' | 'json';
}

export function registerDoctor(command: Command, { context }: CommandHost): void {
  apiOptions(command)
    .option('--server', 'only what this environment would serve with (the variables of serve)')
    .option('--client', 'only the way to a gateway (flags, API_…, context)')
    .option('-o, --output <format>', 'table or json', 'table')
    .addHelpText(
      'after',
      '\nWithout --server and --client: whichever of the two this environment says something of. Exit code 1 where something is wrong.',
    )
    .action(async (options: DoctorOptions) =>
      (await import('./doctor/examine.ts')).examine(context, options),
    );
}
