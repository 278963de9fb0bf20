/** Polls as Flux does: a fresh mutual TLS connection for each, one GET, read to the end. In a process of its own. */
import { connect, createSecureContext, type SecureContext } from 'node:tls';

export interface Identity {
  readonly path: string;
  readonly certificate: string;
  readonly key: string;
}

export interface Load {
  readonly port: number;
  readonly ca: string;
  /** Taken in turn, from `first` on. */
  readonly identities: readonly Identity[];
  readonly polls: number;
  readonly atOnce: number;
  /** Requests on each connection; 1: each poll has its own. */
  readonly perConnection: number;
}

export interface Served {
  /** Milliseconds, in ascending order. */
  readonly latencies: readonly number[];
  readonly failures: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Of the last answer's body. */
  readonly octets: number;
}

const contexts = new Map<Identity, SecureContext>();
let known: readonly Identity[] = [];
let lastOctets = 0;

function contextOf(identity: Identity, ca: string): SecureContext {
  let context = contexts.get(identity);
  if (context === undefined) {
    context = createSecureContext({
      ca,
      cert: identity.certificate,
      key: identity.key,
      minVersion: 'TLSv1.3',
    });
    contexts.set(identity, context);
  }
  return context;
}

/** Resolves with the milliseconds of each request on this connection; rejects with what went wrong. */
function visit({ port, ca }: Load, identity: Identity, requests: number): Promise<readonly number[]> {
  const request = `GET ${identity.path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: flux-operator/v0.30.0\r\nAccept: application/json\r\n\r\n`;
  return new Promise((resolve, reject) => {
    const times: number[] = [];
    let begun = performance.now();
    let received = '';
    const socket = connect(
      { host: '127.0.0.1', port, servername: 'localhost', secureContext: contextOf(identity, ca) },
      () => socket.write(request),
    );
    const done = (problem?: string): void => {
      socket.destroy();
      if (problem === undefined) resolve(times);
      else reject(new Error(problem));
    };
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1]);
      if (end < 0 || received.length < end + 4 + length) return;
      const status = received.slice(9, 12);
      if (status !== '200') return done(status);
      lastOctets = length;
      received = received.slice(end + 4 + length);
      const now = performance.now();
      times.push(now - begun);
      begun = now;
      if (times.length === requests) done();
      else socket.write(request);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    socket.on('end', () => done('ended early'));
  });
}

async function serve(load: Load): Promise<Served> {
  // The same ones again need not be read again.
  if (load.identities.length > 0) {
    contexts.clear();
    known = load.identities;
  }
  const latencies: number[] = [];
  const failures: Record<string, number> = {};
  const visits = Math.ceil(load.polls / load.perConnection);
  const begun = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let number = next++; number < visits; number = next++) {
      const identity = known[number % known.length] as Identity;
      try {
        latencies.push(...(await visit(load, identity, load.perConnection)));
      } catch (error) {
        const { message } = error as Error;
        failures[message] = (failures[message] ?? 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: load.atOnce }, lane));
  const seconds = (performance.now() - begun) / 1_000;
  return { latencies: latencies.sort((a, b) => a - b), failures, seconds, octets: lastOctets };
}

process.on('message', async (load: Load) => {
  process.send?.(await serve(load));
});
