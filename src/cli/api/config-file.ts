import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Environment } from '../../core/config-names.ts';
import { StartupError } from '../../core/errors.ts';
import { shellWord, shown } from '../output/text.ts';

/** A gateway, and who one is there. Paths as they were written; `resolved` ones are absolute. */
export interface GatewayContext {
  readonly url?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token_file?: string;
  /** The token itself. */
  readonly token?: string;
}

export interface ConfigFile {
  readonly current?: string;
  readonly contexts: ReadonlyMap<string, GatewayContext>;
}

const FIELDS = ['url', 'ca', 'cert', 'key', 'token_file', 'token'] as const;
const PATHS = ['ca', 'cert', 'key', 'token_file'] as const;
const NAME = /^[A-Za-z0-9][-\w.]{0,62}$/;
const OTHERS = 0o077;

/** FLUXGATE_CONFIG, else where XDG puts it. */
export function configFilePath(environment: Environment): string {
  const named = environment['FLUXGATE_CONFIG'];
  if (named !== undefined && named !== '') return named;
  const base = environment['XDG_CONFIG_HOME'];
  return join(
    base !== undefined && isAbsolute(base) ? base : join(environment['HOME'] ?? homedir(), '.config'),
    'fluxgate',
    'config.yaml',
  );
}

export function assertContextName(name: string): void {
  if (!NAME.test(name)) {
    throw new StartupError(
      `${shown(JSON.stringify(name))} is no name for a context: letters, digits, "-", "_" and ".", at most 63`,
    );
  }
}

/** No file is no contexts. Throws StartupError where it is malformed, or others than its owner may read it. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let text: string;
  try {
    const { mode } = await stat(path);
    if ((mode & OTHERS) !== 0) {
      throw new StartupError(
        `${path} may hold secrets, and others than you can read it: chmod 600 ${shellWord(path)}`,
      );
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof StartupError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { contexts: new Map() };
    throw new StartupError(`${path}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  return parseConfigFile(path, text);
}

function parseConfigFile(path: string, text: string): ConfigFile {
  const refuse = (problem: string): never => {
    throw new StartupError(`${path}: ${problem}`);
  };
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    // The message of the parser quotes the line, which may be the one with the token.
    const line = (error as { linePos?: readonly { readonly line: number }[] }).linePos?.[0]?.line;
    refuse(`is not YAML${line === undefined ? '' : `, line ${line}`}`);
  }
  if (value === null || value === undefined) return { contexts: new Map() };
  if (!isRecord(value)) return refuse('must be a map with "current" and "contexts"');
  const { current, contexts = {}, ...rest } = value;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) refuse(`knows no ${shown(unknown)}`);
  if (current !== undefined && typeof current !== 'string') refuse('"current" must be the name of a context');
  if (!isRecord(contexts)) return refuse('"contexts" must be a map');
  const found = new Map<string, GatewayContext>();
  for (const [name, entry] of Object.entries(contexts)) {
    assertContextName(name);
    if (!isRecord(entry)) return refuse(`context ${name} must be a map`);
    for (const [field, content] of Object.entries(entry)) {
      if (!FIELDS.some((known) => known === field)) refuse(`context ${name} knows no ${shown(field)}`);
      if (typeof content !== 'string' || content === '') refuse(`context ${name}: ${field} must be text`);
    }
    found.set(name, withPathsFrom(dirname(resolve(path)), entry as GatewayContext));
  }
  return { contexts: found, ...(current === undefined ? {} : { current: current as string }) };
}

/** A path in the file is meant from the file. */
function withPathsFrom(directory: string, entry: GatewayContext): GatewayContext {
  const paths = PATHS.flatMap((field) => {
    const path = entry[field];
    return path === undefined ? [] : [[field, resolve(directory, path)] as const];
  });
  return { ...entry, ...Object.fromEntries(paths) };
}

/** As a whole or not at all, and readable by its owner only. */
export async function writeConfigFile(path: string, { current, contexts }: ConfigFile): Promise<void> {
  const value = { ...(current === undefined ? {} : { current }), contexts: Object.fromEntries(contexts) };
  const text = `# Written by fluxgate context. It may hold secrets: keep it to yourself.\n${stringify(value, { lineWidth: 0 })}`;
  try {
    await mkdir(dirname(resolve(path)), { recursive: true, mode: 0o700 });
    const part = `${path}.part`;
    await writeFile(part, text, { mode: 0o600 });
    // The mode of writeFile counts for a new file only.
    await chmod(part, 0o600);
    await rename(part, path);
  } catch (error) {
    throw new StartupError(`${path}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
