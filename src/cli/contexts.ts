import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { StartupError } from '../core/errors.ts';
import {
  assertContextName,
  type ConfigFile,
  configFilePath,
  type GatewayContext,
  readConfigFile,
  writeConfigFile,
} from './api/config-file.ts';
import type { OutputOptions } from './api/options.ts';
import { CommandFailed, type TerminalContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { printDocument, printRows } from './output/rows.ts';

export interface ContextSetOptions {
  readonly url?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly tokenFile?: string;
  readonly tokenStdin?: boolean;
  readonly use?: boolean;
}

async function load({ environment }: TerminalContext): Promise<ConfigFile & { readonly path: string }> {
  const path = configFilePath(environment);
  return { path, ...(await readConfigFile(path)) };
}

export async function listContexts(context: TerminalContext, options: OutputOptions): Promise<void> {
  const { path, current, contexts } = await load(context);
  const rows = [...contexts].map(([name, entry]) => ({
    name,
    current: name === current,
    ...withoutSecret(entry),
  }));
  await printRows(context, options, rows, {
    columns: [
      { heading: ' ', of: ({ current: is }) => (is ? '*' : ' ') },
      { heading: 'NAME', of: ({ name }) => name },
      { heading: 'URL', of: ({ url }) => url },
      { heading: 'BY', of: (entry) => credentialOf(entry) },
    ],
    name: ({ name }) => `context/${name}`,
    none: `no context in ${path}: fluxgate context set NAME --url …`,
  });
}

function credentialOf({ cert, token_file, token }: GatewayContext): string | undefined {
  if (cert !== undefined) return `certificate ${cert}`;
  if (token_file !== undefined) return `token in ${token_file}`;
  return token === undefined ? undefined : 'token';
}

function withoutSecret({ token, ...entry }: GatewayContext): GatewayContext {
  return token === undefined ? entry : { ...entry, token: '(kept in the file, not shown)' };
}

export async function useContext(context: TerminalContext, name: string): Promise<void> {
  const { path, contexts } = await load(context);
  assertThere(contexts, name, path);
  await writeConfigFile(path, { current: name, contexts });
  context.print(`context ${name} is the current one`);
}

export async function setContext(
  context: TerminalContext,
  name: string,
  options: ContextSetOptions,
): Promise<void> {
  assertContextName(name);
  const { path, current, contexts } = await load(context);
  const { url, ca, cert, key, tokenFile, tokenStdin } = options;
  const certificate = cert !== undefined || key !== undefined;
  const token = tokenFile !== undefined || tokenStdin === true;
  if (certificate && token) throw new StartupError('a context is a certificate or a token: name one of them');
  if (url !== undefined && !/^https:\/\/[^/?#@]+\/?$/.test(url)) {
    throw new StartupError('--url is https://HOST:PORT, and nothing behind it');
  }
  const from = (file: string): string => resolve(context.workingDirectory, file);
  const before = contexts.get(name) ?? {};
  const { cert: _cert, key: _key, token_file: _file, token: _token, ...place } = before;
  const entry: GatewayContext = {
    ...(certificate || token ? place : before),
    // One half of a certificate may be replaced alone.
    ...(certificate && before.cert !== undefined ? { cert: before.cert } : {}),
    ...(certificate && before.key !== undefined ? { key: before.key } : {}),
    ...(url === undefined ? {} : { url }),
    ...(ca === undefined ? {} : { ca: from(ca) }),
    ...(cert === undefined ? {} : { cert: from(cert) }),
    ...(key === undefined ? {} : { key: from(key) }),
    ...(tokenFile === undefined ? {} : { token_file: from(tokenFile) }),
    ...(tokenStdin === true ? { token: await tokenFrom(context) } : {}),
  };
  const first = contexts.size === 0;
  const now = options.use === true || first ? name : current;
  await writeConfigFile(path, {
    contexts: new Map([...contexts, [name, entry]]),
    ...(now === undefined ? {} : { current: now }),
  });
  context.print(`context ${name} is in ${path}${now === name ? ', and the current one' : ''}`);
}

async function tokenFrom({ terminal }: TerminalContext): Promise<string> {
  const token = (await buffer(terminal.input)).toString('utf8').trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new StartupError('--token-stdin: standard input holds no token, or more than one line');
}

export async function showContext(
  context: TerminalContext,
  name: string | undefined,
  options: OutputOptions,
): Promise<void> {
  const { path, current, contexts } = await load(context);
  const wanted = name ?? context.environment['API_CONTEXT'] ?? current;
  if (wanted === undefined)
    throw new CommandFailed('no context is the current one', undefined, EXIT.notFound);
  const entry = assertThere(contexts, wanted, path);
  await printDocument(context, options, { name: wanted, ...withoutSecret(entry) });
}

export async function deleteContext(context: TerminalContext, name: string): Promise<void> {
  const { path, current, contexts } = await load(context);
  assertThere(contexts, name, path);
  const left = new Map([...contexts].filter(([other]) => other !== name));
  await writeConfigFile(path, {
    contexts: left,
    ...(current === undefined || current === name ? {} : { current }),
  });
  context.print(`context ${name} is gone`);
}

function assertThere(contexts: ConfigFile['contexts'], name: string, path: string): GatewayContext {
  const entry = contexts.get(name);
  if (entry !== undefined) return entry;
  throw new CommandFailed(`there is no context ${JSON.stringify(name)} in ${path}`, undefined, EXIT.notFound);
}
