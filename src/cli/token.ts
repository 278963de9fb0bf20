import { type Command, Option } from 'commander';
import { type ApiOptions, apiOptions, type OutputOptions, outputOptions } from './api/options.ts';
import type { CommandHost } from './context.ts';
import { labelList } from './objects/labels.ts';
import { collected } from './objects/select.ts';
import type { TokenCreateOptions } from './trust/tokens.ts';

export function registerToken(command: Command, { context }: CommandHost): void {
  apiOptions(outputOptions(command.command('create'), ['table', 'json', 'yaml']))
    .argument('<name>')
    .description('make a token; it is shown this once')
    .addOption(
      new Option('--kind <kind>', 'for one cluster, for reading any, or for an operator')
        .choices(['cluster', 'reader', 'operator'])
        .makeOptionMandatory(),
    )
    .option('--cluster-dns <dns>', 'of a cluster token: which cluster, by its DNS name or id')
    .option('--unknown', 'also for a DNS name that no cluster of the fleet has yet')
    .option(
      '--role <role>',
      'of an operator token: viewer, editor, security, admin; may be repeated',
      collected,
    )
    .option('--environment <name>', 'only clusters of this environment; may be repeated', collected)
    .option('--label <key=value>', 'only clusters with this label; may be repeated', labelList)
    .option('--ttl <duration>', 'how long it lives: 12h, 30d (at most 365d)')
    .option('--expires-at <time>', 'until when it lives (RFC 3339), instead of --ttl')
    .option('--to <file>', 'write the token to a new file that only you can read, and print it nowhere')
    .action(async (name: string, options: TokenCreateOptions) =>
      (await import('./trust/tokens.ts')).createToken(context, name, options),
    );
  apiOptions(outputOptions(command.command('list')))
    .description('list the tokens, what they may and when they were last used')
    .action(async (options: ApiOptions & OutputOptions) =>
      (await import('./trust/tokens.ts')).listTokens(context, options),
    );
  apiOptions(outputOptions(command.command('revoke'), ['table', 'json', 'yaml']))
    .argument('<id>', 'of fluxgate token list')
    .description('end a token now; it cannot be taken back')
    .action(async (id: string, options: ApiOptions & OutputOptions) =>
      (await import('./trust/tokens.ts')).revokeToken(context, id, options),
    );
}
