import { createServer } from 'node:net';
import type { ListenAddress } from '../core/config-values.ts';

/** Why nobody can listen there now; undefined: it is free. */
export async function listenTrial({ host, port }: ListenAddress): Promise<NodeJS.ErrnoException | undefined> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
