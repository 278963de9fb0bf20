import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { StartupError } from '../core/errors.ts';
import type { CommandContext } from './context.ts';

/** How to reach a gateway's operator routes; each flag wins over its variable. */
export interface ApiOptions {
  readonly url?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly tokenFile?: string;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export type ApiClient = (wanted: ApiRequest) => Promise<ApiAnswer>;

/** A whole fleet to plan may take the gateway a while. */
const TIMEOUT_MS = 60_000;

/**
 * TLS with the server verified, always. Names its variables API_…, apart from those that configure a gateway. Throws
 * StartupError naming what is missing.
 */
export async function createApiClient(context: CommandContext, options: ApiOptions): Promise<ApiClient> {
  const { environment } = context;
  const base = options.url ?? environment['API_URL'];
  if (base === undefined || !/^https:\/\/[^/?#]+\/?$/.test(base)) {
    throw new StartupError('say which gateway: --url https://HOST:PORT, or API_URL');
  }
  const ca = await fileOf('--ca', options.ca ?? environment['API_CA_FILE']);
  const cert = await fileOf('--cert', options.cert ?? environment['API_CERT_FILE']);
  const key = await fileOf('--key', options.key ?? environment['API_KEY_FILE']);
  if ((cert === undefined) !== (key === undefined)) throw new StartupError('--cert and --key go together');
  const tokenFile = await fileOf('--token-file', options.tokenFile);
  const token = (tokenFile ?? environment['API_TOKEN'])?.trim();
  if (cert === undefined && (token === undefined || token === '')) {
    throw new StartupError(
      'show who you are: --cert and --key, or --token-file (or API_TOKEN; a flag would be in the list of processes)',
    );
  }
  const identity = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  };
  return (wanted) => send(new URL(base), identity, wanted);
}

async function fileOf(flag: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new StartupError(`${flag}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function send(base: URL, identity: { readonly headers?: object }, wanted: ApiRequest): Promise<ApiAnswer> {
  const body = wanted.body === undefined ? undefined : Buffer.from(JSON.stringify(wanted.body));
  const headers = {
    ...identity.headers,
    ...wanted.headers,
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
  };
  return new Promise<ApiAnswer>((resolve, reject) => {
    const url = new URL(wanted.path, base);
    const outgoing = request(url, {
      ...identity,
      method: wanted.method,
      headers,
      agent: false,
      timeout: TIMEOUT_MS,
      minVersion: 'TLSv1.2',
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        try {
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as ApiAnswer['body'] });
        } catch {
          reject(new Error(`HTTP ${response.statusCode} with a body that is not JSON: not a gateway?`));
        }
      });
    });
    outgoing.end(body);
  }).catch((error: unknown) => {
    throw new StartupError(`${base.host}: ${error instanceof Error ? error.message : String(error)}`, error);
  });
}

/** For people: what the gateway said, with its details. */
export function refusalOf({ status, body }: ApiAnswer): StartupError {
  const details = Array.isArray(body['details'])
    ? (body['details'] as { field: string; problem: string }[])
    : [];
  const lines = details.map(({ field, problem }) => `  ${field}: ${problem}`);
  return new StartupError(
    [`${String(body['error'])} (HTTP ${status}): ${String(body['message'])}`, ...lines].join('\n'),
  );
}
