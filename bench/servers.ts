import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Measured, measured, pinned, start } from './processes.ts';

/** The three that are compared: Fluxgate as it is served, the floor that it cannot get below, and nginx. */

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const FLOOR = fileURLToPath(new URL('./floor.ts', import.meta.url));

export interface TlsFiles {
  readonly TLS_CERT_FILE: string;
  readonly TLS_KEY_FILE: string;
  readonly CLUSTER_CA_FILE: string;
}

export type Environment = Readonly<Record<string, string>>;

export function startFluxgate(environment: Environment, core: number | undefined): Measured {
  return measured(start(pinned([process.execPath, MAIN, 'serve'], core), environment));
}

export interface ConstantOptions {
  readonly port: number;
  readonly tls: TlsFiles;
  readonly bodyOctets: number;
  /** Whether each answer ends its connection, as Fluxgate's to Flux do. */
  readonly close: boolean;
}

export function startFloor(options: ConstantOptions, core: number | undefined): Measured {
  const { port, tls, bodyOctets, close } = options;
  const environment = {
    ...tls,
    PORT: String(port),
    BODY_OCTETS: String(bodyOctets),
    CLOSE: close ? 'yes' : 'no',
  };
  return measured(start(pinned([process.execPath, FLOOR], core), environment));
}

/** Same versions, groups, ciphers and tickets as ours, as far as its OpenSSL has them. Throws where nginx does not start. */
export async function startNginx(
  { port, tls, bodyOctets, close }: ConstantOptions,
  directory: string,
  core: number | undefined,
): Promise<Measured> {
  await mkdir(join(directory, 'www'), { recursive: true });
  await writeFile(join(directory, 'www', 'body'), '.'.repeat(bodyOctets));
  await writeFile(
    join(directory, 'nginx.conf'),
    `daemon off; user root; worker_processes 1; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_timeout ${close ? 0 : 65}; keepalive_requests 1000000; default_type application/json;
  client_body_temp_path ${directory}/t1; proxy_temp_path ${directory}/t2; fastcgi_temp_path ${directory}/t3;
  uwsgi_temp_path ${directory}/t4; scgi_temp_path ${directory}/t5; open_file_cache max=10;
  server {
    listen 127.0.0.1:${port} ssl backlog=4096;
    ssl_certificate ${tls.TLS_CERT_FILE}; ssl_certificate_key ${tls.TLS_KEY_FILE};
    ssl_client_certificate ${tls.CLUSTER_CA_FILE}; ssl_verify_client on; ssl_verify_depth 5;
    ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache off; ssl_ecdh_curve prime256v1:X25519:secp384r1;
    root ${directory}/www;
    location / { try_files /body =404; }
  }
}
`,
  );
  const child = start(pinned(['nginx', '-c', join(directory, 'nginx.conf'), '-p', directory], core), {});
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('nginx does not start')));
  await Promise.race([failed, new Promise((resolve) => setTimeout(resolve, 500))]);
  failed.catch(() => undefined);
  return measured(child);
}
