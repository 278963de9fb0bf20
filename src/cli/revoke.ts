import type { Command } from 'commander';
import { type ApiOptions, apiOptions, type OutputOptions, outputOptions } from './api/options.ts';
import type { CommandHost } from './context.ts';
import type { RevokeOptions } from './trust/revocations.ts';

export function registerRevoke(command: Command, { context }: CommandHost): void {
  apiOptions(outputOptions(command, ['table', 'json', 'yaml', 'name']))
    .usage('[options] | list | lift <id>')
    .option('--cluster <id>', 'a whole cluster, by its id or DNS name: whatever credential it comes with')
    .option('--unknown', 'with --cluster: also a DNS name that no cluster of the fleet has')
    .option('--certificate <file|sha256>', 'one certificate: a PEM file, or its fingerprint')
    .option('--spki <sha256>', 'one key, in whatever certificate')
    .option('--issuer <sha256>', 'with --serial: one certificate by its issuer')
    .option('--serial <hex>', 'with --issuer')
    .option('--reason <text>', 'why, for whoever reads the list')
    .option('--yes', 'do not ask, though it is a CA, or the certificate or key that asks')
    .option(
      '--until <time>',
      'until when: 2027-01-31T08:00:00Z, 2027-01-31, or for how long: 1h; for ever when absent',
    )
    .action(async (options: RevokeOptions) =>
      (await import('./trust/revocations.ts')).revoke(context, options),
    );
  const revocations = async () => await import('./trust/revocations.ts');
  command
    .command('list')
    .description('what is revoked, and how often it came since')
    .action(async (_options: object, self: Command) =>
      (await revocations()).listRevocations(context, self.optsWithGlobals<ApiOptions & OutputOptions>()),
    );
  command
    .command('lift')
    .argument('<id>', 'of fluxgate revoke list')
    .description('let in again what a revocation refuses')
    .action(async (id: string, _options: object, self: Command) =>
      (await revocations()).liftRevocation(context, id, self.optsWithGlobals<ApiOptions & OutputOptions>()),
    );
}
