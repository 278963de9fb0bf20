import type { Command } from 'commander';
import { type ApiOptions, apiOptions, type OutputOptions, outputOptions } from './api/options.ts';
import type { CommandHost } from './context.ts';

/** `plan` and `diff` before another command are that command with --dry-run: `arguments.ts`. What is left are plans that wait. */
export function registerPlan(command: Command, { context }: CommandHost): void {
  command.addHelpText(
    'before',
    'fluxgate plan COMMAND …  shows what a command would do, such as: fluxgate plan namespace delete web\n' +
      'fluxgate diff COMMAND …  the same, with exit code 1 where something would change\n',
  );
  apiOptions(outputOptions(command.command('list')))
    .description('plans that wait for a second person')
    .action(async (options: ApiOptions & OutputOptions) =>
      (await import('./writes/waiting-plans.ts')).listPlans(context, options),
    );
  apiOptions(outputOptions(command.command('show'), ['table', 'json', 'yaml']))
    .argument('<hash>')
    .description('what a plan that waits would do')
    .action(async (hash: string, options: ApiOptions & OutputOptions) =>
      (await import('./writes/waiting-plans.ts')).showPlan(context, hash, options),
    );
  apiOptions(outputOptions(command.command('approve'), ['table', 'json', 'yaml']))
    .argument('<hash>')
    .description('approve what somebody else asked for')
    .action(async (hash: string, options: ApiOptions & OutputOptions) =>
      (await import('./writes/waiting-plans.ts')).approvePlan(context, hash, options),
    );
}

export function registerDiff(command: Command): void {
  command
    .argument('<command...>', 'a command that changes the fleet, such as: cluster apply -f clusters/')
    .action(() => command.help({ error: true }));
}
