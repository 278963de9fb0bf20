import type { Command } from 'commander';
import type { CommandHost } from './context.ts';

export function registerPolicy(policy: Command, { context }: CommandHost): void {
  policy
    .command('check')
    .argument('[directory]', 'instead of POLICY_DIR')
    .description('hold policies against schema and openapi.yaml, as the gateway does at its start')
    .action(async (directory?: string) =>
      (await import('./policy-tables.ts')).policyCheck(context, directory),
    );
  policy
    .command('test')
    .argument('[directory]', 'instead of POLICY_DIR')
    .description('hold policies against the decision tables in tests/ beside them')
    .action(async (directory?: string) =>
      (await import('./policy-tables.ts')).policyTest(context, directory),
    );
}
