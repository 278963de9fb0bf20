import { readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { normalisedArguments } from './arguments.ts';
import { BriefCommand } from './brief-command.ts';
import { COMMANDS } from './command-table.ts';
import { CommandFailed, type CommandHost } from './context.ts';
import { EXIT } from './exit-codes.ts';

/** Throws CommandFailed without a word for what is no command, after its usage was printed, and for what was only asked to be printed. */
export async function runProgram(host: CommandHost, args: readonly string[]): Promise<void> {
  try {
    await run(host, args);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new CommandFailed('', error, error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  }
}

async function run(host: CommandHost, args: readonly string[]): Promise<void> {
  const { program, loaders } = createProgram(host);
  program.hook('preSubcommand', async (_program, command) => {
    await loaders.get(command)?.();
    refuseRepeats(command);
  });
  program.hook('preAction', (_program, command) => takePrintedNames(command));
  await program.parseAsync([...normalisedArguments(args)], { from: 'user' });
}

/** Of an option that is given twice, the first would be dropped without a word; only those whose help says so may be repeated. */
function refuseRepeats(command: Command): void {
  for (const option of command.options) {
    if (option.description.includes('may be repeated')) continue;
    let given = 0;
    command.on(`option:${option.name()}`, () => {
      given++;
      if (given > 1 && !option.isBoolean()) command.error(`error: option '${option.flags}' was given twice`);
    });
  }
  for (const below of command.commands) refuseRepeats(below);
}

/** Families whose names are printed as another kind's. */
const KIND_OF: Readonly<Record<string, string>> = {
  fleet: 'cluster',
  trust: 'cluster',
  revoke: 'revocation',
};

/** What `-o name` prints is taken where that kind of thing is meant: revision/7, cluster/demo-cluster-01. */
function takePrintedNames(command: Command): void {
  const family = command.parent?.name() ?? '';
  const kind = KIND_OF[family] ?? family;
  command.processedArgs = command.processedArgs.map((value: unknown) => bare(value, kind));
  for (const [option, named] of [
    ['cluster', 'cluster'],
    ['remove', 'authority'],
  ] as const) {
    const value: unknown = command.getOptionValue(option);
    if (value !== undefined) command.setOptionValue(option, bare(value, named));
  }
}

function bare(value: unknown, kind: string): unknown {
  if (Array.isArray(value)) return value.map((one) => bare(one, kind));
  return typeof value === 'string' && value.startsWith(`${kind}/`) ? value.slice(kind.length + 1) : value;
}

/** With the commands of every family. */
async function wholeProgram(host: CommandHost): Promise<Command> {
  const { program, loaders } = createProgram(host);
  for (const load of loaders.values()) await load();
  return program;
}

function createProgram(host: CommandHost): {
  readonly program: Command;
  /** A family's own commands are added when the first of its words has been read. */
  readonly loaders: ReadonlyMap<Command, () => Promise<void>>;
} {
  const program = new BriefCommand('fluxgate')
    .description('A mutual-TLS gateway that tells Flux clusters what they should run, and its command line.')
    .option('-V, --version', 'print the version')
    .helpCommand('help [command...]', 'what a command takes')
    .exitOverride();
  program.on('option:version', () => {
    host.context.print(`fluxgate ${version()}`);
    throw new CommanderError(0, 'commander.version', '');
  });
  const loaders = new Map<Command, () => Promise<void>>();
  for (const { name, aliases = [], summary, group, load } of COMMANDS) {
    const command = program.command(name).aliases(aliases).description(summary).helpGroup(group);
    loaders.set(command, async () => (await load())(command, host, () => wholeProgram(host)));
  }
  return { program, loaders };
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
