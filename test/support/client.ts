import { request as httpsRequest } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { assertDocumented, type ReceivedAnswer } from './documented.ts';

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
        agent: false,
        ca: endpoint.serverCaPem,
        servername: wanted.serverName ?? 'localhost',
        ciphers: ANY_STRENGTH,
        ...(wanted.localAddress === undefined ? {} : { localAddress: wanted.localAddress }),
        ...(wanted.certificate === undefined
          ? {}
          : { cert: wanted.certificate.chainPem, key: wanted.certificate.keyPem }),
        headers: { host: `localhost:${endpoint.port}`, ...requestHeaders(wanted, method, body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
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
