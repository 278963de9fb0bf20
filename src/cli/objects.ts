import { type Command, Option } from 'commander';
import { StartupError } from '../core/errors.ts';
import { type ApiOptions, apiOptions, type OutputOptions, outputOptions } from './api/options.ts';
import { registerAssignments, registerComponentChanges } from './assignments.ts';
import type { CommandHost, TerminalContext } from './context.ts';
import {
  CLUSTER_FLAGS,
  COMPONENT_FLAGS,
  type CreateFlags,
  NAMESPACE_FLAGS,
  ROLEBINDING_FLAGS,
  wholeNumber,
} from './objects/create-flags.ts';
import {
  CLUSTERS,
  COMPONENTS,
  NAMESPACES,
  type ObjectKind,
  ROLEBINDINGS,
  type StoredObject,
} from './objects/kinds.ts';
import { label } from './objects/labels.ts';
import type { ListOptions } from './objects/read.ts';
import { appended, ENVIRONMENT_NAMES, isSelected, type SelectOptions } from './objects/select.ts';
import { type WriteOptions, writeOptions } from './writes/options.ts';

type Filters = Readonly<Record<string, string | undefined>>;

export function registerCluster(command: Command, host: CommandHost): void {
  const { context } = host;
  const list = registerReads(command, host, CLUSTERS);
  list
    .addOption(new Option('--environment <name>', 'of this environment').choices([...ENVIRONMENT_NAMES]))
    .option('--cluster-dns <dns>', 'of this name')
    .option('--label <key=value>', 'with this label', label);
  registerWrites(command, host, CLUSTERS, CLUSTER_FLAGS);
  apiOptions(outputOptions(command.command('rendered'), ['yaml', 'json']))
    .argument('<id>', 'or its DNS name')
    .option('--revision <n>', 'as it was after this revision', wholeNumber)
    .description('what a cluster is served on all three routes')
    .action(async (id: string, options: ApiOptions & OutputOptions & { revision?: number }) =>
      (await import('./objects/read.ts')).getRendered(context, id, options),
    );
  writeOptions(command.command('set-state'), { ifMatch: true, reason: false })
    .argument('<id>')
    .argument('<state>', 'active, frozen, decommissioning or retired')
    .requiredOption('--reason <text>', 'why, for the log and for whoever looks back')
    .description('freeze a cluster, take it out of service, or bring it back')
    .action(async (id: string, state: string, options: WriteOptions & { reason: string }) =>
      (await import('./objects/state.ts')).setState(context, id, state, options),
    );
}

export function registerComponent(command: Command, host: CommandHost): void {
  registerReads(command, host, COMPONENTS).option('--component-version <version>', 'of exactly this version');
  registerWrites(command, host, COMPONENTS, COMPONENT_FLAGS);
  registerAssignments(command, host, COMPONENTS);
  registerComponentChanges(command, host);
}

export function registerNamespace(command: Command, host: CommandHost): void {
  registerReads(command, host, NAMESPACES);
  registerWrites(command, host, NAMESPACES, NAMESPACE_FLAGS);
  registerAssignments(command, host, NAMESPACES);
}

export function registerRolebinding(command: Command, host: CommandHost): void {
  registerReads(command, host, ROLEBINDINGS);
  registerWrites(command, host, ROLEBINDINGS, ROLEBINDING_FLAGS);
  registerAssignments(command, host, ROLEBINDINGS);
}

/** list and get. Returns list, for the filters of its kind: each is named after its parameter. */
function registerReads(command: Command, { context }: CommandHost, kind: ObjectKind): Command {
  apiOptions(outputOptions(command.command('get'), ['yaml', 'json', 'name']))
    .argument('<id>', kind.name === 'cluster' ? 'or its DNS name' : '')
    .description(`print a ${kind.name}, with its ETag`)
    .action(async (id: string, options: ApiOptions & OutputOptions) =>
      (await import('./objects/read.ts')).getObject(context, kind, id, options),
    );
  return apiOptions(outputOptions(command.command('list')))
    .description(`list the ${kind.name}s`)
    .option('--limit <n>', 'at most this many', wholeNumber)
    .option('--offset <n>', 'leave out this many at the start', wholeNumber)
    .action(async (options: ListOptions & Filters) =>
      (await import('./objects/read.ts')).listObjects(context, kind, options, {
        environment: options['environment'],
        cluster_dns: options['clusterDns'],
        label: options['label'],
        component_version: options['componentVersion'],
      }),
    );
}

type CreateOptions = WriteOptions & SelectOptions & { readonly filename?: readonly string[] };

function registerWrites(
  command: Command,
  { context }: CommandHost,
  kind: ObjectKind,
  flags: CreateFlags,
): void {
  writeOptions(flags.add(command.command('create')), { creates: true })
    .argument('[id]')
    .option(
      '-f, --filename <path>',
      'objects as YAML or JSON: a file, a directory, - for standard input',
      appended,
    )
    .description(`create a ${kind.name}`)
    .action(async (id: string | undefined, options: CreateOptions) =>
      create(context, kind, flags, id, options),
    );
  writeOptions(command.command('apply'), { creates: true })
    .requiredOption('-f, --filename <path>', 'a file, a directory, - for standard input', appended)
    .description('make each object what its document says; what that does not name stays')
    .action(async (options: WriteOptions & { filename: readonly string[] }) =>
      (await import('./objects/write.ts')).applyObjects(context, kind, options),
    );
  writeOptions(command.command('edit'))
    .argument('<id>')
    .description(`change a ${kind.name} in $EDITOR`)
    .action(async (id: string, options: WriteOptions) =>
      (await import('./objects/edit.ts')).editObject(context, kind, id, options),
    );
  writeOptions(command.command('delete'), { ifMatch: true })
    .argument('<id...>')
    .option('--detach', 'take it out of all that refer to it first, in the same step')
    .description(`delete ${kind.name}s`)
    .action(async (ids: readonly string[], options: WriteOptions & { detach?: boolean }) =>
      (await import('./objects/write.ts')).deleteObjects(context, kind, ids, options),
    );
  if (kind.name === 'component') return;
  writeOptions(command.command('patch'), { ifMatch: true })
    .argument('<id>')
    .option('-p, --patch <json>', 'a JSON Merge Patch, as JSON or YAML: null removes')
    .option('-f, --filename <path>', 'the same from a file, - for standard input')
    .option('--allow-suspected-secrets', 'let in what looks like a secret (group security)')
    .description(`change fields of a ${kind.name}`)
    .action(async (id: string, options: WriteOptions & { patch?: string; filename?: string }) =>
      (await import('./objects/write.ts')).patchObject(context, kind, id, options),
    );
}

async function create(
  context: TerminalContext,
  kind: ObjectKind,
  flags: CreateFlags,
  id: string | undefined,
  options: CreateOptions,
): Promise<void> {
  if ((id === undefined) === (options.filename === undefined)) {
    throw new StartupError('name one object and describe it by flags, or give -f FILE');
  }
  const { createObjects } = await import('./objects/write.ts');
  if (id === undefined) {
    const { readDocuments } = await import('./objects/documents-in.ts');
    return createObjects(context, kind, await readDocuments(context, options.filename ?? []), options);
  }
  const object: StoredObject = flags.object(id, options as unknown as Readonly<Record<string, unknown>>);
  // --environment of a cluster is its own, not a selection.
  if (kind.name === 'cluster' || !isSelected(options)) {
    return createObjects(context, kind, [{ object }], options);
  }
  const { createAndAssign } = await import('./objects/assign.ts');
  return createAndAssign(context, kind, object, options as WriteOptions & Readonly<Record<string, unknown>>);
}
