import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { getCACertificates } from 'node:tls';
import { StartupError } from '../../core/errors.ts';
import { reasonOf } from '../../core/file-reason.ts';
import type { TerminalContext } from '../context.ts';
import { configFilePath, type GatewayContext, readConfigFile } from './config-file.ts';
import type { ApiOptions } from './options.ts';
import { assertCertificates, assertPair, type NamedFile, type ReadFile } from './own-files.ts';
import { createTransport, type Identity, type SendRequest } from './transport.ts';

/** A gateway that can be asked. */
export interface Session {
  /** https://HOST:PORT */
  readonly origin: string;
  readonly send: SendRequest;
  /** The chain of whoever asks, in PEM; undefined: a token asks. */
  readonly certificate: string | undefined;
}

/** What one source says; the first source that says who is asking says it alone. */
interface Source extends GatewayContext {
  readonly name: string;
}

const FLAGS = 'the flags';
const IDENTITY = ['cert', 'key', 'token_file', 'token'] as const;

export async function openSession(context: TerminalContext, options: ApiOptions): Promise<Session> {
  const { origin, identity, files } = await resolveGateway(context, options);
  if (files.ca !== undefined) assertCertificates(files.ca);
  if (files.cert !== undefined && files.key !== undefined) assertPair(files.cert, files.key);
  return { origin, send: createTransport(origin, identity), certificate: identity.cert };
}

export interface ResolvedGateway {
  readonly origin: string;
  readonly identity: Identity;
  /** Of which the identity is made, as far as files say it: nobody has looked yet whether TLS can use them. */
  readonly files: Readonly<Partial<Record<'ca' | 'cert' | 'key', ReadFile>>>;
}

/** Flags win over a context that a flag names, that over the environment, and that over the context that is current. */
export async function resolveGateway(
  context: TerminalContext,
  options: ApiOptions,
): Promise<ResolvedGateway> {
  const sources = await sourcesOf(context, options);
  const located = whichSays(sources);
  if (located?.url === undefined) {
    throw new StartupError(
      'say which gateway: --url https://HOST:PORT, API_URL, or a context (fluxgate context set NAME --url …)',
    );
  }
  const origin = originOf(located.url, located.name);
  const named = fileIn(sources, 'ca');
  const ca = named === undefined ? undefined : await certificates(named);
  const { token, ...own } = await credentialOf(context, sources, origin);
  return {
    origin,
    identity: {
      ca: ca?.text ?? systemAuthorities(),
      ...(token === undefined ? {} : { token }),
      ...(own.cert === undefined ? {} : { cert: own.cert.text }),
      ...(own.key === undefined ? {} : { key: own.key.text }),
    },
    files: { ...(ca === undefined ? {} : { ca }), ...own },
  };
}

/** Whoever says where the gateway is; undefined: nobody does. */
export async function locatedGateway(
  context: TerminalContext,
  options: ApiOptions,
): Promise<GatewayContext | undefined> {
  return whichSays(await sourcesOf(context, options));
}

const whichSays = (sources: readonly Source[]): Source | undefined =>
  sources.find(({ url }) => url !== undefined);

async function sourcesOf(
  { environment, terminal }: TerminalContext,
  options: ApiOptions,
): Promise<readonly Source[]> {
  const path = configFilePath(environment);
  const { current, contexts } = await readConfigFile(path);
  const flagToken = options.writeToken ?? options.apiToken;
  if (flagToken !== undefined) {
    terminal.errors.write(
      'fluxgate: a token on the command line is in the list of processes and in the history: use --token-file\n',
    );
  }
  const named = (name: string | undefined): readonly Source[] => {
    if (name === undefined) return [];
    const entry = contexts.get(name);
    if (entry === undefined) {
      throw new StartupError(`there is no context ${JSON.stringify(name)} in ${path}: fluxgate context list`);
    }
    return [{ name: `context ${name}`, ...entry }];
  };
  return [
    source(FLAGS, {
      url: options.url ?? options.apiUrl,
      ca: options.ca,
      cert: options.cert,
      key: options.key,
      token_file: options.tokenFile,
      token: flagToken,
    }),
    ...named(options.context),
    source('the environment', {
      url: environment['API_URL'],
      ca: environment['API_CA_FILE'],
      cert: environment['API_CERT_FILE'],
      key: environment['API_KEY_FILE'],
      token: environment['API_TOKEN'],
    }),
    // flux-resourceset-cli's; its write token reads here as well.
    source('the environment', {
      url: environment['FLUX_API_URL'],
      token: environment['FLUX_API_WRITE_TOKEN'] ?? environment['FLUX_API_TOKEN'],
    }),
    ...(options.context === undefined ? named(environment['API_CONTEXT'] ?? current) : []),
  ];
}

/** What is empty is not said. */
function source(name: string, said: Readonly<Record<string, string | undefined>>): Source {
  const entries = Object.entries(said).filter(([, value]) => value !== undefined && value !== '');
  return { name, ...Object.fromEntries(entries) };
}

function originOf(url: string, from: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'http:') {
    throw new StartupError(
      `http:// of ${from}: credentials go over TLS only: https://${parsed.host} (the port of LISTEN_ADDR)`,
    );
  }
  const plain =
    parsed?.protocol === 'https:' &&
    parsed.pathname === '/' &&
    `${parsed.search}${parsed.hash}${parsed.username}${parsed.password}` === '';
  if (!plain) throw new StartupError(`say which gateway: --url https://HOST:PORT, and nothing behind it`);
  return parsed.origin;
}

interface Credential {
  readonly token?: string;
  readonly cert?: ReadFile;
  readonly key?: ReadFile;
}

async function credentialOf(
  context: TerminalContext,
  sources: readonly Source[],
  origin: string,
): Promise<Credential> {
  const saying = sources.find((source) => IDENTITY.some((field) => source[field] !== undefined));
  if (saying === undefined) {
    throw new StartupError(
      'show who you are: --cert and --key, or --token-file (or API_TOKEN; a flag would be in the list of processes)',
    );
  }
  if (saying.cert !== undefined || saying.key !== undefined) {
    // The halves may come by flag and by variable, as each flag wins over its variable.
    const cert = fileIn(sources, 'cert');
    const key = fileIn(sources, 'key');
    if (cert === undefined || key === undefined) throw new StartupError('--cert and --key go together');
    return { cert: await certificates(cert), key: { ...key, text: await contentOf(key) } };
  }
  assertMeantFor(saying, origin);
  const token = (saying.token_file === undefined ? saying.token : await tokenOf(context, saying))?.trim();
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
    throw new StartupError(`the token of ${saying.name} is empty, or more than one line`);
  }
  return { token };
}

/** A token is shown to the gateway that it was kept for, whatever URL a flag or variable names. */
function assertMeantFor({ name, url }: Source, origin: string): void {
  if (!name.startsWith('context ') || url === undefined || originOf(url, name) === origin) return;
  throw new StartupError(
    `the token of ${name} is for ${originOf(url, name)}, not for ${origin}: name another with --token-file or --context`,
  );
}

async function tokenOf({ terminal }: TerminalContext, saying: Source): Promise<string | undefined> {
  const file = fileIn([saying], 'token_file');
  if (file?.path !== '-') return file === undefined ? undefined : await contentOf(file);
  return (await buffer(terminal.input)).toString('utf8');
}

function fileIn(
  sources: readonly Source[],
  field: 'ca' | 'cert' | 'key' | 'token_file',
): NamedFile | undefined {
  const source = sources.find((one) => one[field] !== undefined);
  const path = source?.[field];
  if (source === undefined || path === undefined) return undefined;
  const flag = `--${field.replace('_', '-')}`;
  return { path, name: source.name === FLAGS ? flag : `${flag} (${source.name})` };
}

async function certificates(file: NamedFile): Promise<ReadFile> {
  const text = await contentOf(file);
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new StartupError(`${file.name}: ${file.path} holds no certificate (PEM)`);
  }
  return { ...file, text };
}

async function contentOf({ path, name }: NamedFile): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new StartupError(`${name}: ${resolve(path)} ${reasonOf(error)}`, error);
  }
}

/** Node's own list, and what this machine's administrator added. */
function systemAuthorities(): readonly string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}
