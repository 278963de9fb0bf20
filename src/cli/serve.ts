import { parseConfig } from '../core/config.ts';
import { startGateway } from '../gateway.ts';
import { systemClock } from '../shell/clock.ts';
import { createLog } from '../shell/log.ts';
import type { CommandContext } from './context.ts';

/** Production: everything from the environment, and no development default for anything that carries trust. */
export async function serve(context: CommandContext): Promise<void> {
  const config = parseConfig(context.environment);
  const log = createLog(config.logLevel, context.logDestination);
  const stop = context.stopSignal();
  let reload: () => unknown = () => undefined;
  context.onHangup(() => reload());
  const gateway = await startGateway(config, { clock: systemClock, log });
  reload = () => gateway.reload('SIGHUP');
  log.info({ signal: await stop }, 'asked to stop');
  await gateway.close();
}
