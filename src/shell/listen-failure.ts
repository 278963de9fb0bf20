import type { ListenAddress } from '../core/config-values.ts';
import { StartupError } from '../core/errors.ts';

const INSTEAD = Object.freeze({
  LISTEN_ADDR: 'Name another port (LISTEN_ADDR=127.0.0.1:8444)',
  ADMIN_ADDR: 'Name another port (ADMIN_ADDR=127.0.0.1:9091), or ADMIN_ADDR=off',
});

/** What is said to whoever started a gateway whose port cannot be had. */
export function listenFailure(
  variable: keyof typeof INSTEAD,
  { host, port }: ListenAddress,
  error: NodeJS.ErrnoException,
): StartupError {
  const instead = error.code === 'EADDRINUSE' ? `: something else does already. ${INSTEAD[variable]}` : '';
  return new StartupError(`${variable}: cannot listen on ${host}:${port} (${error.code})${instead}`, error);
}
