/**
 * The clients, in a process of their own: polls as Flux makes them (a fresh mutual TLS connection, one GET, read to the end),
 * requests on kept-open connections, connections that are held and do nothing.
 */
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { type FleetTemplate, fleetMint, type MintLeaf } from '../mint-fleet.ts';
import { dnsOf } from './fleet-store.ts';
import { readSignatures } from './signatures.ts';

export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** Who there is; sent once. */
export interface Known {
  readonly kind: 'know';
  readonly ca: string;
  readonly fleet: FleetTemplate;
  /** The file of their certificates' signatures. */
  readonly signatures: string;
  readonly operators: readonly Identity[];
  /** Of the key exchange, as OpenSSL writes them. */
  readonly groups: string;
}

export interface Visit {
  readonly kind: 'visit';
  readonly port: number;
  readonly requests: number;
  /** Connections at once. */
  readonly atOnce: number;
  /** Requests on each connection; 1: each has its own. */
  readonly perConnection: number;
  /** Undefined: as fast as answers come. Else connections begin at this rate, whether or not others are answered. */
  readonly perSecond?: number;
  /** Clusters `first`, `first + step`, … of so many, each for what is its own; or operators in turn, for `path`. */
  readonly who:
    | {
        readonly clusters: number;
        readonly first: number;
        readonly step: number;
        /** Default: what all are told to offer. */
        readonly groups?: string;
      }
    | { readonly path: string; readonly as?: Caller };
}

/** Who asks, where it is none of the operators, and the key exchange that it offers. */
export interface Caller extends Identity {
  readonly groups: string;
}

export interface Hold {
  readonly kind: 'hold';
  readonly port: number;
  readonly connections: number;
  /** Asked for once on each, so that the server has served it and waits for more. */
  readonly path: string;
}

export type Asked = Known | Visit | Hold | { readonly kind: 'release' };

export interface Served {
  /** Of each request that was answered 200: when it began (ms since the epoch), and what it took (ms). */
  readonly begun: readonly number[];
  readonly took: readonly number[];
  readonly failures: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Of the last answer's body. */
  readonly octets: number;
}

/** Contexts that are kept, some 50 KiB each. */
const CONTEXTS_MAX = 4_000;
/** As long as Flux waits. */
const ANSWER_TIMEOUT_MS = 120_000;
/** In Go's order. */
const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384';
const HELD_AT_ONCE = 16;

let ca = '';
let operators: readonly Identity[] = [];
let mintLeaf: MintLeaf = () => '';
let leafKey = '';
let groups = '';
const contexts = new Map<string, SecureContext>();
const held = new Set<TLSSocket>();
let lastOctets = 0;

function contextOf(name: string, identity: () => Identity, offered = groups): SecureContext {
  const known = contexts.get(name);
  if (known !== undefined) return known;
  const { certificate, key } = identity();
  const context = createSecureContext({
    ca,
    cert: certificate,
    key,
    minVersion: 'TLSv1.3',
    ecdhCurve: offered,
    ciphers: CIPHERS,
  });
  if (contexts.size >= CONTEXTS_MAX)
    for (const oldest of contexts.keys()) {
      contexts.delete(oldest);
      break;
    }
  contexts.set(name, context);
  return context;
}

const clusterContext = (number: number, offered = groups): SecureContext =>
  contextOf(`cluster ${number} ${offered}`, () => ({ certificate: mintLeaf(number), key: leafKey }), offered);
const operatorContext = (number: number): SecureContext =>
  contextOf(`operator ${number}`, () => operators[number] as Identity);

interface Call {
  readonly context: SecureContext;
  readonly path: string;
}

/** What connection `number` is made with. */
function callOf({ who }: Visit, number: number): Call {
  if ('path' in who && who.as !== undefined) {
    const { as, path } = who;
    return { context: contextOf(`${as.groups} ${as.certificate}`, () => as, as.groups), path };
  }
  if ('path' in who) return { context: operatorContext(number % operators.length), path: who.path };
  const cluster = (who.first + number * who.step) % who.clusters;
  return {
    context: clusterContext(cluster, who.groups),
    path: `/api/v2/flux/clusters/${dnsOf(cluster)}/platform-components`,
  };
}

type Answered = (begun: number, took: number) => void;

/** Resolves with the socket once `requests` are answered, one after the other; rejects with what went wrong. */
function call(
  port: number,
  { context, path }: Call,
  requests: number,
  answered: Answered,
): Promise<TLSSocket> {
  const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: flux-operator/v0.58.0\r\nAccept: application/json\r\n\r\n`;
  return new Promise((resolve, reject) => {
    let left = requests;
    let begun = performance.now();
    let received = '';
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', secureContext: context }, () =>
      socket.write(request),
    );
    const fail = (problem: string): void => {
      socket.destroy();
      reject(new Error(problem));
    };
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1]);
      if (end < 0 || received.length < end + 4 + length) return;
      const status = received.slice(9, 12);
      if (status !== '200') return fail(`status ${status}`);
      lastOctets = length;
      received = received.slice(end + 4 + length);
      const now = performance.now();
      answered(performance.timeOrigin + begun, now - begun);
      begun = now;
      left--;
      if (left > 0) return void socket.write(request);
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => fail('no answer in time'));
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.on('end', () => fail('ended early'));
  });
}

async function visit(asked: Visit): Promise<Served> {
  const connections = Math.ceil(asked.requests / asked.perConnection);
  // Certificates are made before the clock runs, as far as they can be kept.
  for (let number = 0; number < Math.min(connections, CONTEXTS_MAX); number++) callOf(asked, number);
  const begun: number[] = [];
  const took: number[] = [];
  const failures: Record<string, number> = {};
  const one = async (number: number): Promise<void> => {
    try {
      const socket = await call(asked.port, callOf(asked, number), asked.perConnection, (at, ms) => {
        begun.push(at);
        took.push(ms);
      });
      socket.destroy();
    } catch (error) {
      const { message } = error as Error;
      failures[message] = (failures[message] ?? 0) + 1;
    }
  };
  const start = performance.now();
  if (asked.perSecond === undefined) {
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let number = next++; number < connections; number = next++) await one(number);
    };
    await Promise.all(Array.from({ length: Math.min(asked.atOnce, connections) }, lane));
  } else {
    const all: Promise<void>[] = [];
    for (let number = 0; number < connections; number++) {
      const due = start + (number * 1_000) / asked.perSecond - performance.now();
      if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
      all.push(one(number));
    }
    await Promise.all(all);
  }
  return { begun, took, failures, seconds: (performance.now() - start) / 1_000, octets: lastOctets };
}

/** Slowly, so that what is measured is connections and not a burst of handshakes. */
async function hold({ port, connections, path }: Hold): Promise<Served> {
  const wanted = held.size + connections;
  let next = 0;
  const failures: Record<string, number> = {};
  const begun = performance.now();
  const lane = async (): Promise<void> => {
    for (let number = next++; number < connections; number = next++) {
      try {
        const caller = { context: operatorContext(number % operators.length), path };
        const socket = await call(port, caller, 1, () => {});
        held.add(socket);
        socket.on('close', () => held.delete(socket));
      } catch (error) {
        const { message } = error as Error;
        failures[message] = (failures[message] ?? 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: HELD_AT_ONCE }, lane));
  const gone = wanted - held.size;
  if (gone > 0 && Object.keys(failures).length === 0) failures['ended by the server'] = gone;
  const seconds = (performance.now() - begun) / 1_000;
  return { begun: [], took: [], failures, seconds, octets: lastOctets };
}

async function answer(asked: Asked): Promise<Served> {
  const nothing = { begun: [], took: [], failures: {}, seconds: 0, octets: 0 };
  switch (asked.kind) {
    case 'know':
      ca = asked.ca;
      operators = asked.operators;
      mintLeaf = fleetMint(asked.fleet, readSignatures(asked.signatures));
      leafKey = asked.fleet.leafKeyPem;
      groups = asked.groups;
      return nothing;
    case 'visit':
      return visit(asked);
    case 'hold':
      return hold(asked);
    case 'release':
      for (const socket of held) socket.destroy();
      held.clear();
      return nothing;
  }
}

process.on('message', async (asked: Asked) => {
  process.send?.(await answer(asked));
});
