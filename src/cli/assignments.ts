import type { Command } from 'commander';
import { StartupError } from '../core/errors.ts';
import type { CommandHost } from './context.ts';
import type { AssignOptions } from './objects/assign.ts';
import { assignmentFlags } from './objects/create-flags.ts';
import { COMPONENTS, type ObjectKind } from './objects/kinds.ts';
import { settings } from './objects/labels.ts';
import { appended, isSelected, selectOptions } from './objects/select.ts';
import { writeOptions } from './writes/options.ts';

/** What selected clusters are assigned: one plan and one revision, whatever their number. */

const bulk = async () => ({
  ...(await import('./objects/assign.ts')),
  ...(await import('./objects/bulk.ts')),
});

export function registerAssignments(command: Command, { context }: CommandHost, kind: ObjectKind): void {
  const assign = command.command('assign');
  if (kind.name === 'component') assignmentFlags(assign);
  writeOptions(selectOptions(assign), { creates: true })
    .argument('<id>')
    .description(`assign a ${kind.name} to clusters`)
    .action(async (id: string, options: AssignOptions) => {
      const { assign, changeClusters } = await bulk();
      await changeClusters(context, [assign(kind, id, options)], options);
    });
  writeOptions(selectOptions(command.command('unassign')), { creates: true })
    .argument('<id>')
    .description(`take a ${kind.name} away from clusters`)
    .action(async (id: string, options: AssignOptions) => {
      const { unassign, changeClusters } = await bulk();
      await changeClusters(context, [unassign(kind, id)], options);
    });
}

export function registerComponentChanges(command: Command, { context }: CommandHost): void {
  for (const op of ['enable', 'disable'] as const) {
    writeOptions(selectOptions(command.command(op)), { creates: true })
      .argument('<id>')
      .description(`switch a component ${op === 'enable' ? 'on' : 'off'} on clusters that are assigned it`)
      .action(async (id: string, options: AssignOptions) => {
        const { changeClusters } = await bulk();
        await changeClusters(context, [{ op, id }], options);
      });
  }
  writeOptions(selectOptions(command.command('set-version')), { creates: true })
    .argument('<id>')
    .argument('[tag]', 'the OCI tag, or the version of a chart')
    .option('--cluster-component-path <path>', 'where it is in its source, there')
    .option('--catalogue', "take the clusters' own tag and path back: the catalogue's count again")
    .description('another version on clusters that are assigned it')
    .action(async (id: string, tag: string | undefined, options: AssignOptions) => {
      const { setVersion, changeClusters } = await bulk();
      await changeClusters(context, [setVersion(id, tag, options)], options);
    });
  writeOptions(selectOptions(command.command('patch')), { creates: true, ifMatch: true })
    .argument('<id>')
    .option('-p, --patch <json>', 'a JSON Merge Patch of the catalogue: null removes')
    .option('-f, --filename <path>', 'the same from a file, - for standard input')
    .option('--set <key=value>', 'a value for the selected clusters; may be repeated', settings)
    .option('--unset <key>', 'no such value for them any more; may be repeated', appended)
    .description('change the catalogue (--patch), or the values of clusters (--set with --cluster …)')
    .action(async (id: string, options: AssignOptions & PatchOptions) => {
      const forClusters = options.set !== undefined || options.unset !== undefined;
      if (forClusters !== isSelected(options)) {
        throw new StartupError(
          '--set and --unset are for clusters: say which (--cluster, --environment, --selector)',
        );
      }
      if (!forClusters) {
        return await (await import('./objects/write.ts')).patchObject(context, COMPONENTS, id, options);
      }
      if (options.patch !== undefined || options.filename !== undefined) {
        throw new StartupError('--set is for clusters and --patch for the catalogue: one of them');
      }
      const { patchValues, changeClusters } = await bulk();
      await changeClusters(context, [patchValues(id, options.set ?? [], options.unset ?? [])], options);
    });
}

interface PatchOptions {
  readonly patch?: string;
  readonly filename?: string;
  readonly set?: readonly string[];
  readonly unset?: readonly string[];
}
