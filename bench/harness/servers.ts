import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE } from '../../src/shell/compile-cache.ts';
import { opensslOptions } from '../../src/shell/sandbox.ts';
import { freePort, type Measured, measured, start } from './processes.ts';

/** The three that are compared: Fluxgate as it is served, the floor that it cannot get below, and nginx. */

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const FLOOR = fileURLToPath(new URL('./floor.ts', import.meta.url));
const SEVERAL = fileURLToPath(new URL('./several.ts', import.meta.url));
/** A store of 100,000 clusters is seeded in half a minute on an idle machine. */
const READY_TIMEOUT_MS = 300_000;

export interface TlsFiles {
  readonly TLS_CERT_FILE: string;
  readonly TLS_KEY_FILE: string;
  /** All CAs of clients. */
  readonly CLIENT_CA_FILE: string;
}

export type Environment = Readonly<Record<string, string>>;

export interface Server extends Measured {
  readonly port: number;
  /** From its start until it said that it is ready, or until it took a connection. */
  readonly readyMs: number;
}

export interface Gateway extends Server {
  readonly adminPort: number;
}

/** How exact the time of a start is. */
const LOOK_MS = 5;

/** The server ended before it served: it does not know what it was asked for. */
export class NotAvailable extends Error {}

async function until(child: ChildProcess, ready: () => Promise<boolean>): Promise<number> {
  const begun = performance.now();
  for (;;) {
    if (await ready()) return performance.now() - begun;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new NotAvailable(`it ended with ${child.exitCode ?? child.signalCode}`);
    if (performance.now() - begun > READY_TIMEOUT_MS) {
      child.kill('SIGKILL');
      throw new Error('a server was not ready in time');
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

export interface GatewayOptions {
  readonly environment: Environment;
  /** A file for what it logs; undefined: nobody reads it. */
  readonly logFile?: string;
  /** Node's own. */
  readonly nodeOptions?: readonly string[];
  /** A refusal to start is expected, and need not be shown. */
  readonly mayRefuse?: boolean;
}

/** Resolves when /ready says so. Throws `NotAvailable` where it refuses to start. */
export async function startFluxgate(options: GatewayOptions): Promise<Gateway> {
  const { environment, logFile, nodeOptions = [], mayRefuse = false } = options;
  const port = await freePort();
  const adminPort = await freePort();
  const output = logFile === undefined ? undefined : openSync(logFile, 'a');
  const child = start([process.execPath, ...nodeOptions, MAIN, 'serve'], {
    environment: {
      // As `npm run serve`, bin/fluxgate and the image have it.
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...environment,
      LISTEN_ADDR: `127.0.0.1:${port}`,
      ADMIN_ADDR: `127.0.0.1:${adminPort}`,
    },
    ...(output === undefined ? {} : { output }),
    errors: mayRefuse ? 'ignore' : 'inherit',
  });
  if (output !== undefined) closeSync(output);
  const isReady = async (): Promise<boolean> => {
    // To ask costs ten times what it costs to knock, on the cores that the start is measured on.
    if (!(await takesConnections(adminPort))) return false;
    const answer = await fetch(`http://127.0.0.1:${adminPort}/ready`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  };
  const readyMs = await until(child, isReady);
  return { ...measured(child), port, adminPort, readyMs };
}

export interface ConstantOptions {
  readonly tls: TlsFiles;
  readonly bodyOctets: number;
  /** Whether each answer ends its connection, as Fluxgate's to Flux do. */
  readonly close: boolean;
}

/** How several bare servers share a port: processes or threads, and whether each has a listening socket of its own. */
export const SPREADS = ['processes-one-socket', 'processes-own-sockets', 'threads-own-sockets'] as const;
export type Spread = (typeof SPREADS)[number];

/** How the floor has its TLS options: as an `https.Server` takes them, or its context whole, as Fluxgate's is (`floor.ts`). */
export type FloorContext = 'options' | 'whole';

export interface FloorOptions extends Omit<ConstantOptions, 'tls'> {
  /** Default `whole`, with the OpenSSL configuration of a Fluxgate that serves. */
  readonly context?: FloorContext;
  /** undefined: one. */
  readonly several?: { readonly spread: Spread; readonly count: number };
}

export async function startFloor({
  tls,
  bodyOctets,
  close,
  context = 'whole',
  several,
}: FloorOptions & Pick<ConstantOptions, 'tls'>): Promise<Server> {
  const port = await freePort();
  const environment = {
    ...tls,
    PORT: String(port),
    BODY_OCTETS: String(bodyOctets),
    CLOSE: close ? 'yes' : 'no',
    CONTEXT: context,
    ...(several === undefined ? {} : { SPREAD: several.spread, COUNT: String(several.count) }),
  };
  // As the process that serves has it.
  const options = context === 'whole' ? opensslOptions(environment, []) : [];
  const child = start([process.execPath, ...options, several === undefined ? FLOOR : SEVERAL], {
    environment,
  });
  const readyMs = await until(child, () => takesConnections(port));
  return { ...measured(child), port, readyMs };
}

/** `nginx version: …` and the OpenSSL that it runs with; undefined: it is not installed. */
export function nginxVersion(): { readonly nginx: string; readonly openssl: string } | undefined {
  const { error, stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8' });
  if (error !== undefined) return undefined;
  const nginx = /nginx\/(\S+)/.exec(stderr)?.[1] ?? 'unknown';
  const [, built = 'unknown', running = built] =
    /built with OpenSSL (\S+)[^(\n]*(?:\(running with OpenSSL (\S+))?/.exec(stderr) ?? [];
  return { nginx, openssl: running };
}

/** Same versions, groups, ciphers and tickets as ours, as far as its OpenSSL has them. Throws where nginx does not start. */
export async function startNginx(
  { tls, bodyOctets, close }: ConstantOptions,
  parent: string,
): Promise<Server> {
  const directory = await mkdtemp(join(parent, 'nginx-'));
  const port = await freePort();
  await writeFile(join(directory, 'body'), '.'.repeat(bodyOctets));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join(' ');
  // Only root may name a user, and root must: the files are its own.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  await writeFile(
    join(directory, 'nginx.conf'),
    `daemon off; ${user} worker_processes 1; worker_rlimit_nofile 16384; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
events { worker_connections 8192; }
http {
  access_log off; keepalive_timeout ${close ? 0 : 65}; keepalive_requests 1000000; default_type application/json;
  ${temporary} open_file_cache max=10;
  server {
    listen 127.0.0.1:${port} ssl backlog=4096;
    ssl_certificate ${tls.TLS_CERT_FILE}; ssl_certificate_key ${tls.TLS_KEY_FILE};
    ssl_client_certificate ${tls.CLIENT_CA_FILE}; ssl_verify_client on; ssl_verify_depth 5;
    ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache off; ssl_ecdh_curve prime256v1:X25519:secp384r1;
    root ${directory};
    location / { try_files /body =404; }
  }
}
`,
  );
  const command = ['nginx', '-c', join(directory, 'nginx.conf'), '-p', directory];
  const child = start(command, { errors: 'ignore' });
  await Promise.race([once(child, 'spawn'), once(child, 'error')]);
  const readyMs = await until(child, () => takesConnections(port));
  return { ...measured(child), port, readyMs };
}
