import { request } from 'node:https';

/** What a client holds: PEM chain and key. */
export interface DemoIdentity {
  readonly chainPem: string;
  readonly keyPem: string;
}

export interface DemoRequest {
  readonly path: string;
  readonly method?: string;
  readonly identity?: DemoIdentity | undefined;
  readonly token?: string;
  readonly body?: unknown;
}

export interface DemoAnswer {
  readonly status: number;
  readonly body: unknown;
}

export type DemoClient = (wanted: DemoRequest) => Promise<DemoAnswer>;

/** Polls as Flux does: a fresh mutual-TLS connection each time. Status 0: no answer at all. */
export function createDemoClient(port: number, serverCaPem: string): DemoClient {
  return (wanted) =>
    new Promise((resolve) => {
      const body = wanted.body === undefined ? undefined : JSON.stringify(wanted.body);
      const outgoing = request(
        {
          host: '127.0.0.1',
          port,
          path: wanted.path,
          method: wanted.method ?? 'GET',
          agent: false,
          ca: serverCaPem,
          servername: 'localhost',
          headers: {
            host: `localhost:${port}`,
            ...(wanted.token === undefined ? {} : { authorization: `Bearer ${wanted.token}` }),
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          },
          ...(wanted.identity === undefined
            ? {}
            : { cert: wanted.identity.chainPem, key: wanted.identity.keyPem }),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) });
          });
        },
      );
      outgoing.on('error', () => resolve({ status: 0, body: undefined }));
      outgoing.end(body);
    });
}
