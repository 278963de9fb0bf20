import http from 'node:http';
import https from 'node:https';
import { parseConfig } from '../core/config.ts';
import { type CommandContext, CommandFailed } from './context.ts';

const TIMEOUT_MS = 2_000;

/**
 * For a container without a shell or curl: asks the gateway beside it whether it is ready, on the admin listener or, where
 * that is off, on the HTTPS port. Throws CommandFailed (exit code 1: unhealthy) unless the answer is 200.
 */
export async function healthcheck(context: CommandContext): Promise<void> {
  const config = parseConfig(context.environment);
  const { host, port } = config.admin ?? config.listen;
  const options = { host: reachable(host), port, path: '/ready', timeout: TIMEOUT_MS, agent: false as const };
  const status = await new Promise<number>((resolve, reject) => {
    const request =
      config.admin === undefined
        ? // The process beside us is asked for its health over loopback; whose certificate it has is no matter here.
          https.get({ ...options, rejectUnauthorized: false })
        : http.get(options);
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.once('error', reject);
  }).catch((error: unknown) => {
    throw new CommandFailed(`not healthy: ${error instanceof Error ? error.message : String(error)}`, error);
  });
  if (status !== 200) throw new CommandFailed(`not ready: /ready answered ${status}`);
  context.print('ready');
}

/** An address to listen on is not always one to connect to. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
