import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { TestPki } from './pki.ts';

export interface HostileServer {
  readonly url: string;
  /** What came, headers included. */
  readonly requests: readonly IncomingMessage[];
}

/** Somebody who speaks TLS with a certificate that is trusted, and answers whatever they like. */
export async function startHostileServer(
  t: Pick<TestContext, 'after'>,
  pki: TestPki,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HostileServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer({ cert: pki.server.chainPem, key: pki.server.keyPem }, (request, response) => {
    requests.push(request);
    response.on('error', () => undefined);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, requests };
}

export function sendJson(response: ServerResponse, body: unknown, status = 200, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
