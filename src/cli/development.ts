import type { Command } from 'commander';
import type { CommandHost } from './context.ts';
import { developmentOnly } from './development-only.ts';

export function registerCertsDev(command: Command, { context }: CommandHost): void {
  command
    .option('--cluster <dns>', 'the cluster whose Secret is printed; minted if it is new')
    .action(async (options: { cluster?: string }) =>
      (await developmentOnly(() => import('./certs-dev.ts'))).certsDev(context, options),
    );
}
