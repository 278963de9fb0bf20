import type { Command } from 'commander';
import type { AuditVerifyOptions } from './audit-trail.ts';
import type { CommandHost } from './context.ts';

export function registerAudit(audit: Command, { context }: CommandHost): void {
  audit
    .command('verify')
    .description('check that no row was changed, taken out or moved')
    .option('--database <url>', 'the store; DATABASE_URL when absent')
    .option('--head <file>', 'an answer of GET /audit/head that was kept elsewhere')
    .option('--key <file>', 'the public key that the head must be signed by (PEM)')
    .action(async (options: AuditVerifyOptions) =>
      (await import('./audit-trail.ts')).auditVerify(context, options),
    );
  audit
    .command('export')
    .description('print the trail as JSON lines')
    .option('--database <url>', 'the store; DATABASE_URL when absent')
    .action(async (options: { database?: string }) =>
      (await import('./audit-trail.ts')).auditExport(context, options),
    );
}
