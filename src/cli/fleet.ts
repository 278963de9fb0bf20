import { type Command, Option } from 'commander';
import { type ApiOptions, apiOptions, type OutputOptions, outputOptions } from './api/options.ts';
import type { CommandHost } from './context.ts';
import { wholeNumber } from './objects/create-flags.ts';
import { ENVIRONMENT_NAMES } from './objects/select.ts';

export interface FleetOptions extends ApiOptions, OutputOptions {
  readonly state?: string;
  readonly environment?: string;
  readonly search?: string;
  readonly limit?: number;
}

const STATES = ['current', 'behind', 'overdue', 'never', 'refused'];

export function registerFleet(command: Command, { context }: CommandHost): void {
  filters(outputOptions(command.command('status')))
    .argument('[cluster]', 'one cluster, by id or DNS name, with what it reported of each component')
    .option('--limit <n>', 'at most this many', wholeNumber)
    .description('which clusters polled, when, what they were served, and who is refused')
    .action(async (cluster: string | undefined, options: FleetOptions) =>
      (await import('./fleet/status.ts')).fleetStatus(context, cluster, options),
    );
  filters(outputOptions(command.command('watch'), ['table', 'json']))
    .option('--interval <duration>', 'how often to look', '5s')
    .description('the same, and then a line for each change, until Ctrl-C')
    .action(async (options: FleetOptions & { interval: string }) =>
      (await import('./fleet/watch.ts')).fleetWatch(context, options),
    );
}

function filters(command: Command): Command {
  return apiOptions(command)
    .addOption(new Option('--state <state>', 'only these').choices(STATES))
    .addOption(new Option('--environment <name>', 'only this environment').choices([...ENVIRONMENT_NAMES]))
    .option('-q, --search <text>', 'only with this in id, name or DNS name');
}
