import type { Command } from 'commander';
import { type ApiOptions, apiOptions, type OutputOptions, outputOptions } from './api/options.ts';
import type { CommandHost } from './context.ts';
import { wholeNumber } from './objects/create-flags.ts';
import { type WriteOptions, writeOptions } from './writes/options.ts';

export type RevisionListOptions = ApiOptions &
  OutputOptions & { readonly limit?: number; readonly offset?: number };

export function registerRevision(command: Command, { context }: CommandHost): void {
  apiOptions(outputOptions(command.command('list')))
    .description('who changed the fleet, when and why; newest first')
    .option('--limit <n>', 'at most this many', wholeNumber, 50)
    .option('--offset <n>', 'leave out this many at the start', wholeNumber)
    .action(async (options: RevisionListOptions) =>
      (await import('./revisions/read.ts')).listRevisions(context, options),
    );
  apiOptions(outputOptions(command.command('show'), ['table', 'json', 'yaml']))
    .argument('<revision>')
    .description('what a revision changed, before and after')
    .action(async (revision: string, options: ApiOptions & OutputOptions) =>
      (await import('./revisions/read.ts')).showRevision(context, revision, options),
    );
  apiOptions(outputOptions(command.command('diff'), ['table', 'json', 'yaml']))
    .argument('<from>', 'a revision, or two as 5...7')
    .argument('[to]')
    .description('what each cluster is served at one revision that it was not at the other')
    .action(async (from: string, to: string | undefined, options: ApiOptions & OutputOptions) =>
      (await import('./revisions/read.ts')).diffRevisions(context, from, to, options),
    );
  writeOptions(command.command('revert'), { creates: true })
    .argument('<revision>')
    .description('undo a revision, as a new one')
    .action(async (revision: string, options: WriteOptions) =>
      (await import('./revisions/revert.ts')).revertRevision(context, revision, options),
    );
}
