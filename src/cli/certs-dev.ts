import { fileURLToPath } from 'node:url';
import { certsDevCommand, operatorCommand } from '../../certs-dev/command.ts';
import { StartupError } from '../core/errors.ts';
import { systemClock } from '../shell/clock.ts';
import type { CommandContext } from './context.ts';

export const DEVELOPMENT_PKI_DIR = fileURLToPath(new URL('../../certs-dev/', import.meta.url));

export interface CertsDevOptions {
  readonly cluster?: string;
  readonly operator?: string;
  readonly group?: readonly string[];
}

/** A cluster's Secret, or an operator's certificate. */
export async function certsDev(context: CommandContext, options: CertsDevOptions): Promise<void> {
  const { cluster, operator, group } = options;
  const common = { directory: DEVELOPMENT_PKI_DIR, out: context.print, now: new Date(systemClock.now()) };
  if (operator === undefined) {
    if (group !== undefined) throw new StartupError('--group is of an operator: --operator NAME');
    return certsDevCommand({ ...common, ...(cluster === undefined ? {} : { cluster }) });
  }
  if (cluster !== undefined) throw new StartupError('--cluster and --operator: one of them');
  return operatorCommand({ ...common, name: operator, groups: group ?? [] });
}
