import type { Config } from '../core/config.ts';
import type { Log } from '../shell/log.ts';
import type { LastingCommandContext } from './context.ts';

/** Loads it as well: a process that is about to be replaced by one in the sandbox needs none. */
export async function openLog(context: LastingCommandContext, config: Config): Promise<Log> {
  const { createLog } = await import('../shell/log.ts');
  return createLog(config.logLevel, await context.logDestination(), context.host.channel?.worker);
}
