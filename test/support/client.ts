import { type Agent, request as httpsRequest } from 'node:https';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { assertDocumented, type ReceivedAnswer } from './documented.ts';
import { assertNoSecret, noteSecret } from './secrets.ts';

/** A client certificate as a client holds it: PEM chain and key. */
export interface ClientCertificate {
  readonly chainPem: string;
  readonly keyPem: string;
}

export interface ClientRequest {
  readonly method?: string;
  readonly path: string;
  readonly certificate?: ClientCertificate | undefined;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is text or bytes. */
  readonly body?: unknown;
  readonly serverName?: string;
  readonly localAddress?: string;
  /** For many requests over few connections; a fresh one for each when absent. */
  readonly agent?: Agent | undefined;
}

export interface ClientAnswer extends ReceivedAnswer {
  /** The parsed body; throws when it is not JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface Endpoint {
  readonly port: number;
  readonly serverCaPem: string;
}

/** The client side must be willing to hold weak keys too: it is the server's refusal that is tested. */
const ANY_STRENGTH = 'DEFAULT@SECLEVEL=0';

/** https passes it on to tls.connect, though its types do not say so. */
function tlsOptions(endpoint: Endpoint, certificate: ClientCertificate | undefined): object {
  return { secureContext: contextFor(endpoint, certificate) };
}

const contexts = new Map<string, SecureContext>();

/** Reading PEM costs more than the handshake: each certificate is read once. */
function contextFor({ serverCaPem }: Endpoint, certificate: ClientCertificate | undefined): SecureContext {
  const { chainPem: cert, keyPem: key } = certificate ?? {};
  const name = `${serverCaPem} ${cert} ${key}`;
  let context = contexts.get(name);
  if (context === undefined) {
    const identity = cert === undefined || key === undefined ? {} : { cert, key };
    context = createSecureContext({ ca: serverCaPem, ciphers: ANY_STRENGTH, ...identity });
    contexts.set(name, context);
  }
  return context;
}

/** One request over a fresh mutual-TLS connection, as Flux does it. Each answer is held against openapi.yaml. */
export async function send(endpoint: Endpoint, wanted: ClientRequest): Promise<ClientAnswer> {
  const method = wanted.method ?? 'GET';
  const body = encodeBody(wanted.body);
  const answer = await new Promise<ReceivedAnswer>((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: endpoint.port,
        method,
        path: wanted.path,
        agent: wanted.agent ?? false,
        servername: wanted.serverName ?? 'localhost',
        ...tlsOptions(endpoint, wanted.certificate),
        ...(wanted.localAddress === undefined ? {} : { localAddress: wanted.localAddress }),
        headers: { host: `localhost:${endpoint.port}`, ...requestHeaders(wanted, method, body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        // What has no end is known by its head.
        if (response.headers['content-type'] === 'text/event-stream') {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.alloc(0) });
          request.on('error', () => {}).destroy();
          return;
        }
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
  assertDocumented(method, wanted.path, answer);
  noteSecret(wanted.token);
  if (answer.status >= 400) assertNoSecret('an error', answer.body.toString('utf8'));
  return { ...answer, json: <T>() => JSON.parse(answer.body.toString('utf8')) as T };
}

function encodeBody(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined;
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body), 'utf8');
}

function requestHeaders(
  wanted: ClientRequest,
  method: string,
  body: Buffer | undefined,
): Record<string, string | number> {
  return {
    ...(wanted.token === undefined ? {} : { authorization: `Bearer ${wanted.token}` }),
    ...(body === undefined
      ? {}
      : {
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          'content-length': body.byteLength,
        }),
    ...wanted.headers,
  };
}

/** A TLS connection with nothing said on it yet, for what no HTTP client would send. */
export async function connectRaw(endpoint: Endpoint, certificate?: ClientCertificate): Promise<TLSSocket> {
  return await new Promise((resolve, reject) => {
    const socket = connect(
      {
        host: '127.0.0.1',
        port: endpoint.port,
        ca: endpoint.serverCaPem,
        servername: 'localhost',
        ciphers: ANY_STRENGTH,
        ...(certificate === undefined ? {} : { cert: certificate.chainPem, key: certificate.keyPem }),
      },
      () => resolve(socket),
    );
    socket.once('error', reject);
  });
}

/** Writes octets as they are and reads until the server ends the connection. */
export async function sendRaw(endpoint: Endpoint, octets: string | Uint8Array): Promise<string> {
  const socket = await connectRaw(endpoint);
  return await new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.write(octets);
  });
}
