import { connect, type TLSSocket } from 'node:tls';
import type { ClientCertificate, Endpoint } from './client.ts';

/** What no HTTP client would send: octets over TLS, and what came back, taken apart by as little HTTP as needed. */

export interface RawOptions {
  readonly certificate?: ClientCertificate;
  /** SNI; '' sends none. */
  readonly serverName?: string;
  /** Read until this many answers are there; without it until the server ends the connection. */
  readonly answers?: number;
}

export interface RawAnswer {
  readonly status: number;
  /** Lower-case names; of a repeated header the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Exchange {
  readonly answers: readonly RawAnswer[];
  /** True: the server ended the connection (or refused it in the handshake). */
  readonly ended: boolean;
  readonly octets: string;
}

/** A server that neither answers nor ends the connection by then has hung. */
const SILENCE_MS = 5_000;

export async function openRaw(endpoint: Endpoint, options: RawOptions = {}): Promise<TLSSocket> {
  return await new Promise((resolve, reject) => {
    const { certificate } = options;
    const socket = connect(
      {
        host: '127.0.0.1',
        port: endpoint.port,
        ca: endpoint.serverCaPem,
        servername: options.serverName ?? 'localhost',
        ciphers: 'DEFAULT@SECLEVEL=0',
        ...(certificate === undefined ? {} : { cert: certificate.chainPem, key: certificate.keyPem }),
      },
      () => resolve(socket),
    );
    socket.once('error', reject);
  });
}

/** Writes the octets, one piece after the other, and collects the answers. Rejects when the server hangs. */
export async function exchange(
  endpoint: Endpoint,
  octets: string | Uint8Array | readonly (string | Uint8Array)[],
  options: RawOptions = {},
): Promise<Exchange> {
  const socket = await openRaw(endpoint, options);
  socket.setNoDelay(true);
  const done = collect(socket, options.answers);
  const pieces = typeof octets === 'string' || octets instanceof Uint8Array ? [octets] : octets;
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    if (socket.writable) socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  }
  return await done;
}

/** Everything that arrives on the socket from now on. */
export function collect(socket: TLSSocket, wanted?: number): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    let text = '';
    const finish = (ended: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answers: readAnswers(text), ended, octets: text });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end after ${SILENCE_MS} ms; so far: ${JSON.stringify(text.slice(0, 300))}`));
    }, SILENCE_MS);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (wanted !== undefined && readAnswers(text).length >= wanted) finish(false);
    });
    socket.on('error', () => {});
    socket.on('close', () => finish(true));
  });
}

/** The complete answers in the text; interim ones (1xx) count too, and have no body. */
export function readAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let at = 0;
  for (;;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return answers;
    const [statusLine = '', ...lines] = text.slice(at, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? Number.NaN);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const length = Number(headers['content-length'] ?? 0);
    const body = text.slice(end + 4, end + 4 + length);
    if (body.length < length) return answers;
    answers.push({ status, headers, body });
    at = end + 4 + length;
  }
}
