import type { TLSSocket } from 'node:tls';
import type { ClientCertificate, Endpoint } from './client.ts';
import { openRaw, type RawAnswer, readAnswers } from './raw.ts';

/** A connection that its client keeps open between requests, as no Flux does but everything else. */
export interface KeptOpen {
  readonly socket: TLSSocket;
  /** Resolves when the server has ended the connection, with the moment (performance.now). */
  readonly ended: Promise<number>;
  isEnded(): boolean;
  /** The answer; undefined: the connection ended without one. */
  get(path: string): Promise<RawAnswer | undefined>;
}

/** Opened, and used once: `/health` judges a certificate like every route, and keeps the connection open. */
export async function keepOpen(endpoint: Endpoint, certificate?: ClientCertificate): Promise<KeptOpen> {
  const socket = await openRaw(endpoint, certificate === undefined ? {} : { certificate });
  let text = '';
  let end = false;
  let wake: () => void = () => {};
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    wake();
  });
  socket.on('error', () => {});
  const ended = new Promise<number>((resolve) => {
    socket.once('close', () => {
      end = true;
      wake();
      resolve(performance.now());
    });
  });
  const kept: KeptOpen = {
    socket,
    ended,
    isEnded: () => end,
    async get(path) {
      const before = readAnswers(text).length;
      if (socket.writable) socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      while (!end && readAnswers(text).length === before) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return readAnswers(text)[before];
    },
  };
  const first = await kept.get('/health');
  if (first?.status !== 200) throw new Error(`the connection to keep open got ${first?.status}`);
  return kept;
}

const TURN_MS = 10;

/**
 * Counted in turns that this process really got: it holds the gateway as well, and on a machine that is busy with other
 * things both are late together.
 */
export async function within<T>(milliseconds: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    let turns = 0;
    timer = setInterval(() => {
      turns++;
      if (turns * TURN_MS >= milliseconds) reject(new Error(`${what}: not within ${milliseconds} ms`));
    }, TURN_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearInterval(timer);
  }
}
