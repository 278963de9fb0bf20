import { type Command, Option } from 'commander';
import { type ApiOptions, apiOptions, type OutputOptions, outputOptions } from '../api/options.ts';

/** What every command takes that changes the fleet. */
export interface WriteOptions extends ApiOptions, OutputOptions {
  readonly dryRun?: boolean;
  /** As --dry-run, and exit code 1 where something would change. */
  readonly diff?: boolean;
  readonly yes?: boolean;
  readonly planHash?: string;
  readonly reason?: string;
  readonly idempotencyKey?: string;
  readonly ifMatch?: string;
}

const PLANS = 'Before anything is written:';

/** `creates`: what would happen twice, sent twice. `ifMatch`: a change of one object that may name the version it is meant for. */
export function writeOptions(
  command: Command,
  takes: { readonly creates?: boolean; readonly ifMatch?: boolean; readonly reason?: boolean } = {},
): Command {
  command
    .optionsGroup(PLANS)
    .option('--dry-run', 'show the plan and write nothing (also: fluxgate plan …)')
    .addOption(new Option('--diff', 'as --dry-run; exit code 1 where something would change').hideHelp())
    .option('--yes', 'do not ask; what the prune guard stops still needs --plan-hash')
    .option('--plan-hash <hash>', 'the plan that was looked at: carried out only if it is still that one')
    .optionsGroup('Options:');
  if (takes.reason !== false) command.option('--reason <text>', 'why, for fluxgate revision list');
  if (takes.creates) {
    command.option('--idempotency-key <key>', 'a name for this request: sent twice, it happens once');
  }
  if (takes.ifMatch) {
    command.option('--if-match <etag>', 'only if the object is still this version (get prints it)');
  }
  return apiOptions(outputOptions(command));
}
