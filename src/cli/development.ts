import type { Command } from 'commander';
import type { CertsDevOptions } from './certs-dev.ts';
import type { CommandHost } from './context.ts';
import { developmentOnly } from './development-only.ts';
import { appended } from './objects/select.ts';

export function registerCertsDev(command: Command, { context }: CommandHost): void {
  command
    .option('--cluster <dns>', 'the cluster whose Secret is printed; minted if it is new')
    .option('--operator <name>', "an operator's certificate instead: an email address")
    .option(
      '--group <group>',
      'of the operator: fluxgate:editor, platform-team, …; may be repeated',
      appended,
    )
    .action(async (options: CertsDevOptions) =>
      (await developmentOnly(() => import('./certs-dev.ts'))).certsDev(context, options),
    );
}
