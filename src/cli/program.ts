import { Command } from 'commander';
import { COMMANDS } from './command-table.ts';
import type { CommandHost } from './context.ts';

/** The whole command line; each family's own commands are added when the first of its words has been read. */
export function createProgram(host: CommandHost): Command {
  const program = new Command('fluxgate')
    .description('A mutual-TLS gateway that tells Flux clusters what they should run.')
    .showHelpAfterError()
    .exitOverride();
  const loaders = new Map<Command, () => Promise<void>>();
  for (const { name, aliases = [], summary, group, load } of COMMANDS) {
    const command = program.command(name).aliases(aliases).description(summary).helpGroup(group);
    loaders.set(command, async () => (await load())(command, host));
  }
  program.hook('preSubcommand', async (_program, command) => {
    await loaders.get(command)?.();
  });
  return program;
}
