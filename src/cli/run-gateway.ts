import type { Config } from '../core/config.ts';
import { type Gateway, type GatewayDependencies, startGateway } from '../gateway.ts';
import type { LastingCommandContext } from './context.ts';

/** Serves until SIGTERM or SIGINT. One that comes while a large seed is still loading ends that, too: nothing is committed. */
export async function runGateway(
  context: LastingCommandContext,
  config: Config,
  dependencies: GatewayDependencies,
  started: (gateway: Gateway) => void = () => undefined,
): Promise<void> {
  const { log } = dependencies;
  const starting = startGateway(config, dependencies);
  const gateway = await Promise.race([starting, context.stopSignal]);
  if (typeof gateway === 'string') {
    log.info({ signal: gateway }, 'asked to stop before serving');
    starting.then((late) => late.close()).catch(() => undefined);
    return;
  }
  started(gateway);
  context.onHangup(() => void gateway.reload('SIGHUP'));
  log.info({ signal: await context.stopSignal }, 'asked to stop');
  await gateway.close();
}
