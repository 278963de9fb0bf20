import { fileURLToPath } from 'node:url';
import { certsDevCommand } from '../../certs-dev/command.ts';
import { systemClock } from '../shell/clock.ts';
import type { CommandContext } from './context.ts';

export const DEVELOPMENT_PKI_DIR = fileURLToPath(new URL('../../certs-dev/', import.meta.url));

export async function certsDev(
  context: CommandContext,
  options: { readonly cluster?: string },
): Promise<void> {
  await certsDevCommand({
    directory: DEVELOPMENT_PKI_DIR,
    ...(options.cluster === undefined ? {} : { cluster: options.cluster }),
    out: context.print,
    now: new Date(systemClock.now()),
  });
}
