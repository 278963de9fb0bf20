import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import { StartupError } from '../../core/errors.ts';
import { reasonOf } from '../../core/file-reason.ts';
import type { TerminalContext } from '../context.ts';
import { shown } from '../output/text.ts';
import type { StoredObject } from './kinds.ts';

export interface ReadDocument {
  readonly object: StoredObject;
  /** undefined: flags describe it. */
  readonly file?: string;
}

/** What -f names: a file, a directory of *.yaml and *.json, or - for standard input; one object a document. Throws StartupError. */
export async function readDocuments(
  context: TerminalContext,
  paths: readonly string[],
): Promise<readonly ReadDocument[]> {
  const documents: ReadDocument[] = [];
  for (const path of paths) {
    for (const { name, text } of await textsOf(context, path)) {
      documents.push(...parseDocuments(name, text).map((object) => ({ object, file: name })));
    }
  }
  if (documents.length === 0) throw new StartupError(`${paths.join(', ')}: holds no object`);
  return documents;
}

async function textsOf(
  { terminal }: TerminalContext,
  path: string,
): Promise<readonly { readonly name: string; readonly text: string }[]> {
  try {
    if (path === '-') {
      return [{ name: 'standard input', text: (await buffer(terminal.input)).toString('utf8') }];
    }
    if (!(await stat(path)).isDirectory()) return [{ name: path, text: await readFile(path, 'utf8') }];
    const names = (await readdir(path)).filter(
      (name) => /\.(ya?ml|json)$/.test(name) && !name.startsWith('.'),
    );
    return await Promise.all(
      names.sort().map(async (name) => {
        const file = join(path, name);
        return { name: file, text: await readFile(file, 'utf8') };
      }),
    );
  } catch (error) {
    // Of a directory, the file in it.
    const { path: named = path } = error as NodeJS.ErrnoException;
    throw new StartupError(`-f: ${named === '-' ? named : resolve(named)} ${reasonOf(error)}`, error);
  }
}

/** Documents of YAML, which JSON is as well; a list counts as its elements. */
function parseDocuments(name: string, text: string): readonly StoredObject[] {
  return valuesIn(name, text)
    .flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .map((value) => objectOf(name, value));
}

/** One value, as YAML or JSON, from a file or standard input (-). */
export async function readValue(context: TerminalContext, path: string): Promise<unknown> {
  const [{ name, text } = { name: path, text: '' }] = await textsOf(context, path);
  return parseValue(name, text);
}

export function parseValue(name: string, text: string): unknown {
  const [value, ...more] = valuesIn(name, text);
  if (value === undefined || more.length > 0) throw new StartupError(`${name}: must be one document`);
  return value;
}

function valuesIn(name: string, text: string): readonly unknown[] {
  return parseAllDocuments(text, { uniqueKeys: true, version: '1.2' }).flatMap((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) {
      const line = problem.linePos?.[0].line;
      // The parser says the place as well, and a colon before the lines that it would quote.
      const said = (problem.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:$/, '');
      throw new StartupError(`${name}${line === undefined ? '' : `, line ${line}`}: ${shown(said)}`);
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return value === null || value === undefined ? [] : [value];
  });
}

function objectOf(name: string, value: unknown): StoredObject {
  const id =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)['id'] : undefined;
  if (typeof id !== 'string' || id === '') throw new StartupError(`${name}: every document needs an id`);
  return value as StoredObject;
}
