import type { Command } from 'commander';
import { type ApiOptions, apiOptions, outputOptions } from './api/options.ts';
import type { CommandHost } from './context.ts';
import { developmentOnly } from './development-only.ts';
import type { AssignOptions } from './objects/assign.ts';
import { annotations, labels, settings } from './objects/labels.ts';
import { writeOptions } from './writes/options.ts';

/** The tour; and under it what flux-resourceset-cli has under `demo`, for scripts that know it. */
export function registerDemo(command: Command, { context }: CommandHost): void {
  command.action(async () => (await developmentOnly(() => import('./demo.ts'))).demo(context));
  writeOptions(command.command('add-namespace', { hidden: true }), { creates: true })
    .argument('<cluster_id>')
    .argument('<namespace_id>')
    .option('--label <key=value>', 'a label; may be repeated', labels)
    .option('--annotation <key=value>', 'an annotation; may be repeated', annotations)
    .description('namespace create NAMESPACE --cluster CLUSTER')
    .action(async (cluster: string, id: string, options: AssignOptions) => {
      const { createAndAssign } = await import('./objects/assign.ts');
      const { NAMESPACE_FLAGS } = await import('./objects/create-flags.ts');
      const { NAMESPACES } = await import('./objects/kinds.ts');
      const object = NAMESPACE_FLAGS.object(id, options);
      await createAndAssign(context, NAMESPACES, object, { ...options, cluster: [cluster] });
    });
  writeOptions(command.command('patch-component', { hidden: true }), { creates: true })
    .argument('<cluster_id>')
    .argument('<component_id>')
    .option('--set <key=value>', 'a value; may be repeated', settings)
    .description('component patch COMPONENT --cluster CLUSTER --set …')
    .action(async (cluster: string, id: string, options: AssignOptions & { set?: readonly string[] }) => {
      const { patchValues } = await import('./objects/assign.ts');
      const { changeClusters } = await import('./objects/bulk.ts');
      await changeClusters(context, [patchValues(id, options.set ?? [], [])], {
        ...options,
        cluster: [cluster],
      });
    });
  apiOptions(outputOptions(command.command('flux-namespaces', { hidden: true }), ['json', 'yaml']))
    .argument('<cluster_dns>')
    .description("what Flux gets on a cluster's route of namespaces")
    .action(async (dns: string, options: ApiOptions & { output: 'json' | 'yaml' }) =>
      (await import('./objects/flux-inputs.ts')).fluxInputs(context, dns, 'namespaces', options),
    );
}
