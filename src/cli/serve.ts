import { parseConfig } from '../core/config.ts';
import { systemClock } from '../shell/clock.ts';
import { createLog } from '../shell/log.ts';
import type { LastingCommandContext } from './context.ts';
import { enterSandbox } from './sandbox.ts';
import { supervise, workersOf } from './supervise.ts';

/** Production: everything from the environment, and no development default for anything that carries trust. */
export async function serve(context: LastingCommandContext): Promise<void> {
  const config = parseConfig(context.environment);
  const log = createLog(config.logLevel, context.logDestination, context.host.channel?.worker);
  const workers = workersOf(config, context.host);
  if (workers > 1 && context.host.channel === undefined) {
    return supervise(context, config, log, workers);
  }
  const sandbox = await enterSandbox(context, config, log);
  if (sandbox === undefined) return;
  const { runGateway } = await import('./run-gateway.ts');
  const { storeCheck, beforeListening, afterStart } = sandbox;
  await runGateway(context, config, { clock: systemClock, log, storeCheck, beforeListening }, afterStart);
}
