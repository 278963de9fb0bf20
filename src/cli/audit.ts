import { type Command, Option } from 'commander';
import { AUDIT_EVENTS } from '../core/audit/entry.ts';
import { type ApiOptions, apiOptions, type OutputOptions, outputOptions } from './api/options.ts';
import { principalName, requestId } from './audit-names.ts';
import type { AuditVerifyOptions } from './audit-trail.ts';
import type { CommandHost } from './context.ts';
import { wholeNumber } from './objects/create-flags.ts';

export interface AuditTailOptions extends ApiOptions, OutputOptions {
  readonly lines: number;
  readonly follow?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly event?: string;
  readonly principal?: string;
  readonly object?: string;
  readonly operation?: string;
  readonly requestId?: string;
}

export function registerAudit(audit: Command, { context }: CommandHost): void {
  apiOptions(outputOptions(audit.command('tail'), ['table', 'json', 'yaml']))
    .description('the newest entries of a running gateway, oldest of them first')
    .option('-n, --lines <n>', 'at most this many', wholeNumber, 20)
    .option('-f, --follow', 'then each new entry as it comes, until Ctrl-C')
    .option('--since <time>', '2026-11-20T08:00:00Z, 2026-11-20, or how long ago: 1h')
    .option('--until <time>', 'the same')
    .addOption(new Option('--event <event>', 'what happened').choices([...AUDIT_EVENTS]))
    .option('--principal <name>', 'operator:sam@example.com', principalName)
    .option('--object <kind/id>', 'cluster/us-east-prod-01')
    .option('--operation <id>', 'patchCluster')
    .option('--request-id <id>', 'of one request', requestId)
    .action(async (options: AuditTailOptions) =>
      (await import('./audit-tail.ts')).auditTail(context, options),
    );
  audit
    .command('verify')
    .description('check that no row of a store was changed, taken out or moved')
    .option('--database <url>', 'the store; DATABASE_URL when absent')
    .option('--head <file>', 'an answer of GET /audit/head that was kept elsewhere')
    .option('--key <file>', 'the public key that the head must be signed by (PEM)')
    .action(async (options: AuditVerifyOptions) =>
      (await import('./audit-trail.ts')).auditVerify(context, options),
    );
  audit
    .command('export')
    .description('print the trail of a store as JSON lines')
    .option('--database <url>', 'the store; DATABASE_URL when absent')
    .action(async (options: { database?: string }) =>
      (await import('./audit-trail.ts')).auditExport(context, options),
    );
  apiOptions(audit.command('head'))
    .description('where the trail of a running gateway ends: keep it elsewhere, for audit verify --head')
    .action(async (options: ApiOptions) => (await import('./audit-tail.ts')).auditHead(context, options));
}
