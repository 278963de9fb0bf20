import {
  type Node as JsonNode,
  type ParseErrorCode,
  parseTree,
  printParseErrorCode,
  visit as visitJson,
} from 'jsonc-parser';
import {
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit as visitYaml,
} from 'yaml';
import { StartupError } from '../errors.ts';

/** A seed's text in one reading: what two parsers could take differently (repeated keys, aliases, tags) is refused. */
export interface SeedText {
  readonly value: unknown;
  /** The line (from 1) of what is at this path, or of the nearest that is there. */
  lineOf(path: readonly (string | number)[]): number | undefined;
}

/** By the name's ending, else by its first character. Throws StartupError naming the seed and the line. */
export function readSeedText(text: string, name: string): SeedText {
  const content = text.startsWith('\ufeff') ? text.slice(1) : text;
  if (content.trim() === '') throw new StartupError(`seed ${name}: is empty`);
  const isJson = /\.json$/i.test(name) || (!/\.ya?ml$/i.test(name) && content.trimStart().startsWith('{'));
  try {
    return isJson ? readJson(content, name) : readYaml(content, name);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    // Both parsers descend by recursion: text that is nested by the thousand exhausts the stack.
    const reason = error instanceof RangeError ? 'is nested too deeply' : 'cannot be read';
    throw new StartupError(`seed ${name}: ${reason}`, error);
  }
}

function readJson(text: string, name: string): SeedText {
  refuseJsonFaults(text, name);
  const value = JSON.parse(text) as unknown;
  let tree: JsonNode | undefined;
  const lineOf = (path: readonly (string | number)[]): number | undefined => {
    tree ??= parseTree(text); // only when there is a problem to show: it is much larger than the value
    const node = tree === undefined ? undefined : nearest(tree, path, jsonChild);
    return node === undefined ? undefined : lineAt(text, node.offset);
  };
  return { value, lineOf };
}

function refuseJsonFaults(text: string, name: string): void {
  const openObjects: Set<string>[] = [];
  visitJson(
    text,
    {
      onObjectBegin: () => {
        openObjects.push(new Set());
      },
      onObjectEnd: () => {
        openObjects.pop();
      },
      onObjectProperty: (key, _offset, _length, line) => {
        const keys = openObjects.at(-1);
        if (keys?.has(key))
          throw new StartupError(`seed ${name}: the key "${key}" is there twice (line ${line + 1})`);
        keys?.add(key);
      },
      onError: (code: ParseErrorCode, _offset, _length, line) => {
        throw new StartupError(`seed ${name}: is not JSON: ${printParseErrorCode(code)} (line ${line + 1})`);
      },
    },
    { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false },
  );
}

function readYaml(text: string, name: string): SeedText {
  const lineCounter = new LineCounter();
  const lineOfOffset = (offset: number): number => lineCounter.linePos(offset).line;
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    strict: true,
    stringKeys: true,
    // Compares each key with each: minutes for a large map. Looked at below, once.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error', // 'silent' would also drop every document after the first without a word
    lineCounter,
  });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    throw new StartupError(
      `seed ${name}: is not YAML: ${fault.message} (line ${lineOfOffset(fault.pos[0])})`,
    );
  }
  visitYaml(document, {
    Map: (_key, map) => {
      const keys = new Set<unknown>();
      for (const { key } of map.items) {
        const value = isScalar(key) ? key.value : key;
        if (keys.has(value)) {
          const line = lineOfOffset((isNode(key) ? key.range?.[0] : undefined) ?? 0);
          throw new StartupError(`seed ${name}: the key "${String(value)}" is there twice (line ${line})`);
        }
        keys.add(value);
      }
    },
    Alias: (_key, alias) => {
      const line = lineOfOffset(alias.range?.[0] ?? 0);
      throw new StartupError(`seed ${name}: has the alias *${alias.source}: write it out (line ${line})`);
    },
  });
  const lineOf = (path: readonly (string | number)[]): number | undefined => {
    const node = isNode(document.contents) ? nearest<unknown>(document.contents, path, yamlChild) : undefined;
    const range = isNode(node) ? node.range : undefined;
    return range === null || range === undefined ? undefined : lineOfOffset(range[0]);
  };
  return { value: document.toJS({ maxAliasCount: 0 }) as unknown, lineOf };
}

/** Follows the path as far as it goes. */
function nearest<N>(
  root: N,
  path: readonly (string | number)[],
  child: (node: N, key: string) => N | undefined,
): N {
  let node = root;
  for (const key of path) {
    // Seeds may say `_id` where the gateway says `id`.
    const next = child(node, String(key)) ?? (key === 'id' ? child(node, '_id') : undefined);
    if (next === undefined) break;
    node = next;
  }
  return node;
}

function jsonChild(node: JsonNode, key: string): JsonNode | undefined {
  if (node.type === 'array') return node.children?.[Number(key)];
  return node.children?.find((property) => property.children?.[0]?.value === key)?.children?.[1];
}

function yamlChild(node: unknown, key: string): unknown {
  if (!isCollection(node)) return undefined;
  if (isSeq(node)) return node.items[Number(key)];
  if (!isMap(node)) return undefined;
  return node.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.value ?? undefined;
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
