import type { Command } from 'commander';
import { type ApiOptions, apiOptions, type OutputOptions, outputOptions } from './api/options.ts';
import { requestId } from './audit-names.ts';
import type { CommandHost } from './context.ts';
import { collected } from './objects/select.ts';
import type { ExplainOptions, TrustListOptions, TrustPlanOptions } from './trust/report.ts';

export function registerTrust(command: Command, { context }: CommandHost): void {
  apiOptions(outputOptions(command.command('list')))
    .description('which CAs are trusted, until when, and who was last seen under each')
    .option('--expires-within <time>', 'also the clusters whose certificate expires within 14d, 36h, …')
    .action(async (options: TrustListOptions) =>
      (await import('./trust/report.ts')).listTrust(context, options),
    );
  apiOptions(outputOptions(command.command('show'), ['yaml', 'json']))
    .argument('<cluster>', 'its id or DNS name')
    .description('what a cluster last presented, and which keys it uses')
    .action(async (cluster: string, options: ApiOptions & OutputOptions) =>
      (await import('./trust/report.ts')).showCluster(context, cluster, options),
    );
  apiOptions(outputOptions(command.command('plan'), ['table', 'json', 'yaml']))
    .description('who would be refused if other CAs were trusted; exit code 1 where somebody would be')
    .option(
      '--remove <sha256>',
      'without this CA (the start of its fingerprint is enough); may be repeated',
      collected,
    )
    .option('--cluster-ca <file>', 'with this as CLUSTER_CA_FILE')
    .option('--operator-ca <file>', 'with this as OPERATOR_CA_FILE')
    .action(async (options: TrustPlanOptions) =>
      (await import('./trust/report.ts')).planTrust(context, options),
    );
  apiOptions(outputOptions(command.command('explain'), ['table', 'json', 'yaml']))
    .description('why somebody is, was or would be refused, rule by rule')
    .option('--request-id <id>', 'of a refused request: from its answer or the log', requestId)
    .option('--certificate <sha256>', 'by the fingerprint of a certificate that was presented lately')
    .option('--chain <file>', 'of a certificate chain in PEM that need not have been presented')
    .option('--path <path>', 'also whether this request would be let in')
    .option('--method <method>', 'of that request')
    .option('--source <address>', 'where that request would come from')
    .option('--at <time>', 'at another moment (RFC 3339)')
    .action(async (options: ExplainOptions) =>
      (await import('./trust/explain.ts')).explain(context, options),
    );
  apiOptions(command.command('reset-pin'))
    .argument('<cluster>', 'its id or DNS name')
    .description('forget which keys a cluster has used: the next one counts as its first')
    .action(async (cluster: string, options: ApiOptions) =>
      (await import('./trust/report.ts')).resetPin(context, cluster, options),
    );
}
