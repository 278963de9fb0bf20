import type { Config } from '../core/config.ts';
import { type Gateway, type GatewayDependencies, startGateway } from '../gateway.ts';
import { connectSiblings } from '../shell/workers/siblings.ts';
import type { LastingCommandContext } from './context.ts';

/** Serves until SIGTERM or SIGINT, or until its store is found to be damaged: throws StartupError then. One that comes while a large seed is still loading ends that, too: nothing is committed. */
export async function runGateway(
  context: LastingCommandContext,
  config: Config,
  dependencies: Omit<GatewayDependencies, 'siblings'>,
  started: (gateway: Gateway) => void = () => undefined,
): Promise<void> {
  const { log } = dependencies;
  const { channel } = context.host;
  const siblings = channel === undefined ? undefined : connectSiblings(channel);
  const starting = startGateway(
    config,
    siblings === undefined ? dependencies : { ...dependencies, siblings },
  );
  const gateway = await Promise.race([starting, context.stopSignal]);
  if (typeof gateway === 'string') {
    log.info({ signal: gateway }, 'asked to stop before serving');
    starting.then((late) => late.close()).catch(() => undefined);
    return;
  }
  started(gateway);
  if (channel === undefined) {
    context.onRestart(() =>
      log.warn('SIGUSR2 starts workers anew, and this is the only process: restart it yourself'),
    );
  } else channel.send({ kind: 'ready' });
  context.onHangup(() => void gateway.reload('SIGHUP'));
  const ending = await Promise.race([context.stopSignal, gateway.damage]);
  if (typeof ending === 'string') log.info({ signal: ending }, 'asked to stop');
  else log.error({ reason: ending.message }, 'the store cannot be served from any longer: this process ends');
  await gateway.close();
  await siblings?.stop();
  if (typeof ending !== 'string') throw ending;
}
