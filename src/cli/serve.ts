import { parseConfig } from '../core/config.ts';
import { systemClock } from '../shell/clock.ts';
import type { LastingCommandContext } from './context.ts';
import { openLog } from './open-log.ts';
import { enterSandbox } from './sandbox.ts';
import { supervise, workersOf } from './supervise.ts';

/** Production: everything from the environment, and no development default for anything that carries trust. */
export async function serve(context: LastingCommandContext): Promise<void> {
  const config = parseConfig(context.environment);
  const workers = workersOf(config, context.host);
  if (workers > 1 && context.host.channel === undefined) {
    return supervise(context, config, await openLog(context, config), workers);
  }
  const sandbox = await enterSandbox(context, config);
  if (sandbox === undefined) return;
  const log = await openLog(context, config);
  for (const line of sandbox.warnings) log.warn(line);
  const { runGateway } = await import('./run-gateway.ts');
  const { storeCheck, beforeListening, afterStart } = sandbox;
  await runGateway(context, config, { clock: systemClock, log, storeCheck, beforeListening }, afterStart);
}
