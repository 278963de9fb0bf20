import { parseConfig } from '../core/config.ts';
import { systemClock } from '../shell/clock.ts';
import { createLog } from '../shell/log.ts';
import type { LastingCommandContext } from './context.ts';
import { runGateway } from './run-gateway.ts';

/** Production: everything from the environment, and no development default for anything that carries trust. */
export async function serve(context: LastingCommandContext): Promise<void> {
  const config = parseConfig(context.environment);
  const log = createLog(config.logLevel, context.logDestination);
  await runGateway(context, config, { clock: systemClock, log });
}
