import type { Command } from 'commander';
import { type OutputOptions, outputOptions } from './api/options.ts';
import type { CommandHost } from './context.ts';
import type { ContextSetOptions } from './contexts.ts';

export function registerContext(command: Command, { context }: CommandHost): void {
  const contexts = async () => await import('./contexts.ts');
  outputOptions(command.command('list'))
    .description('the contexts of the configuration file, the current one marked')
    .action(async (options: OutputOptions) => (await contexts()).listContexts(context, options));
  command
    .command('use')
    .argument('<name>')
    .description('make a context the current one')
    .action(async (name: string) => (await contexts()).useContext(context, name));
  command
    .command('set')
    .argument('<name>')
    .description('make a context, or change what the flags name of one')
    .option('--url <url>', 'the gateway: https://HOST:PORT')
    .option('--ca <file>', "the CA of the gateway's certificate")
    .option('--cert <file>', 'an operator certificate; takes a token out')
    .option('--key <file>', 'its key')
    .option('--token-file <file>', 'a file with a token; takes a certificate out')
    .option('--token-stdin', 'keep the token that standard input has in the configuration file')
    .option('--use', 'and make it the current one')
    .action(async (name: string, options: ContextSetOptions) =>
      (await contexts()).setContext(context, name, options),
    );
  outputOptions(command.command('show'), ['yaml', 'json'])
    .argument('[name]', 'the current one when absent')
    .description('what a context says, its secrets left out')
    .action(async (name: string | undefined, options: OutputOptions) =>
      (await contexts()).showContext(context, name, options),
    );
  command
    .command('delete')
    .argument('<name>')
    .description('take a context out of the configuration file')
    .action(async (name: string) => (await contexts()).deleteContext(context, name));
}
