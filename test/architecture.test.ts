/** What may import what, read from the sources themselves. `docs/architecture` says why; this holds it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Source {
  /** From the root, with forward slashes: src/core/config.ts. */
  readonly path: string;
  readonly text: string;
  /** Comments blanked out, strings kept. */
  readonly code: string;
  readonly imports: readonly string[];
}

/** Strings are kept as they are; comments become spaces. A regular expression that holds quotes is the one thing it may misread. */
function withoutComments(text: string): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[dgimsuvy]*/g;
  return text.replace(token, (found) => (/^\/[/*]/.test(found) ? found.replaceAll(/[^\n]/g, ' ') : found));
}

/** import … from, export … from, import '…', import('…'); anything computed is refused. */
function importsOf(code: string, path: string): string[] {
  const specifiers: string[] = [];
  const statement = /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])(?<from>[^'"]+)\1/gm;
  const bare = /^\s*import\s*(['"])(?<from>[^'"]+)\1/gm;
  const dynamic = /\bimport\s*\(\s*(?<argument>[^)]*)\)/g;
  for (const pattern of [statement, bare]) {
    for (const { groups } of code.matchAll(pattern)) specifiers.push(groups?.['from'] ?? '');
  }
  for (const { groups } of code.matchAll(dynamic)) {
    const literal = /^(['"])(?<from>[^'"]+)\1$/.exec(groups?.['argument']?.trim() ?? '')?.groups?.['from'];
    assert.ok(literal !== undefined, `${path}: import() of something computed`);
    specifiers.push(literal);
  }
  if (path === 'src/shell/plain-http.ts') code = code.replace("process.getBuiltinModule('node:http')", '');
  assert.doesNotMatch(code, /\brequire\s*\(|createRequire|process\.getBuiltinModule/, `${path}: require`);
  return specifiers;
}

/** What is erased before anything runs. */
function withoutTypeImports(code: string): string {
  const clause =
    /^\s*(?:import|export)\s+(?:type\b[^;]*?|\{(?:\s*type\s+[^,}]+,?)+\s*\})\s*from\s*(['"])[^'"]+\1/gm;
  return code.replace(clause, '');
}

function readSources(folder: string): Source[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => {
      const path = join(folder, name).replaceAll('\\', '/');
      const text = readFileSync(join(ROOT, path), 'utf8');
      const code = withoutComments(text);
      return { path, text, code, imports: importsOf(code, path) };
    });
}

const sources = [...readSources('src'), ...readSources('certs-dev')];
const inSrc = sources.filter(({ path }) => path.startsWith('src/'));
const isLocal = (specifier: string): boolean => specifier.startsWith('.');

/** A local import as a path from the root. */
function target(from: Source, specifier: string): string {
  return relative(ROOT, resolve(ROOT, dirname(from.path), specifier)).replaceAll('\\', '/');
}

const importersOf = (pattern: RegExp): string[] =>
  inSrc.filter(({ imports }) => imports.some((name) => pattern.test(name))).map(({ path }) => path);

/** Computing only: no file, socket, clock, timer or process among them. */
const CORE_MAY_IMPORT: readonly string[] = [
  'lru-cache',
  'ajv',
  'yaml',
  'ipaddr.js',
  'jsonc-parser',
  'pkijs',
  'asn1js',
  '@cedar-policy/cedar-wasm/nodejs',
  '@cedar-policy/cedar-wasm',
  '@secretlint/core',
  '@secretlint/profiler',
  '@secretlint/secretlint-rule-preset-recommend',
  'node:crypto',
  'node:url',
  'node:util',
  'node:buffer',
  'node:zlib',
];

describe('the architecture', () => {
  it('is read from sources that are there', () => {
    assert.ok(inSrc.length > 60, `${inSrc.length} files`);
    assert.ok(inSrc.flatMap(({ imports }) => imports).length > 200);
    for (const source of sources) {
      for (const specifier of source.imports.filter(isLocal)) {
        const file = target(source, specifier);
        assert.ok(
          sources.some(({ path }) => path === file),
          `${source.path} imports ${file}`,
        );
      }
    }
  });

  it('has a core that imports only itself and what computes', () => {
    for (const source of inSrc.filter(({ path }) => path.startsWith('src/core/'))) {
      for (const specifier of source.imports) {
        const allowed = isLocal(specifier)
          ? target(source, specifier).startsWith('src/core/')
          : CORE_MAY_IMPORT.includes(specifier);
        assert.ok(allowed, `${source.path} imports ${specifier}`);
      }
      assert.doesNotMatch(
        source.code,
        /\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|\bsetInterval\(|\bfetch\(|\bperformance\.|\bMath\.random\(/,
        `${source.path}: time, timers and chance are given to the core, never taken`,
      );
    }
  });

  it('has a shell that does not know who wires it', () => {
    for (const source of inSrc.filter(({ path }) => path.startsWith('src/shell/'))) {
      for (const specifier of source.imports.filter(isLocal)) {
        assert.match(target(source, specifier), /^src\/(core|shell)\//, source.path);
      }
    }
    for (const source of inSrc.filter(({ path }) => path.startsWith('src/cli/'))) {
      for (const specifier of source.imports.filter(isLocal)) {
        assert.notEqual(target(source, specifier), 'src/main.ts', source.path);
      }
    }
    const wiring = inSrc.filter(({ path }) => path === 'src/gateway.ts' || path.startsWith('src/wiring/'));
    assert.ok(wiring.length > 1);
    for (const source of wiring) {
      for (const specifier of source.imports.filter(isLocal)) {
        assert.match(target(source, specifier), /^src\/(core|shell|wiring)\//, source.path);
      }
    }
    for (const source of inSrc.filter((one) => !wiring.includes(one))) {
      for (const specifier of source.imports.filter(isLocal)) {
        assert.doesNotMatch(target(source, specifier), /^src\/wiring\//, source.path);
      }
    }
  });

  it('reads certificates with pkijs in one file, and knows Cedar where policies are read and asked', () => {
    const readers = importersOf(/^pkijs$/);
    assert.equal(readers.length, 1, readers.join());
    assert.match(readers[0] ?? '', /^src\/core\/identity\//);
    assert.ok(importersOf(/^asn1js$/).every((path) => path.startsWith('src/core/identity/')));
    assert.deepEqual(importersOf(/^@cedar-policy\//), [
      'src/core/policy/decide.ts',
      'src/core/policy/policy-set.ts',
    ]);
    assert.deepEqual(importersOf(/^openapi-backend$/), ['src/shell/http/router.ts']);
  });

  it('has SQL in the store only', () => {
    for (const path of importersOf(/^(better-sqlite3|node:sqlite)$/)) {
      assert.match(path, /^src\/shell\/store\//);
    }
    assert.ok(importersOf(/^better-sqlite3$/).length > 0);
    const sql =
      /['"`]\s*(?:SELECT\s[\s\S]*\bFROM\b|INSERT\s+(?:OR\s+\w+\s+)?INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|CREATE\s+(?:TABLE|(?:UNIQUE\s+)?INDEX)\b|PRAGMA\s|BEGIN\b|ROLLBACK\b)/;
    for (const { path, code } of inSrc) {
      if (!path.startsWith('src/shell/store/')) assert.doesNotMatch(code, sql, path);
    }
    const store = inSrc.filter(({ path }) => path.startsWith('src/shell/store/'));
    assert.ok(store.some(({ code }) => sql.test(code)));
  });

  it('touches `process` in main.ts only', () => {
    for (const { path, code, imports } of inSrc) {
      // And to load a module of Node's without all that it exports.
      if (path === 'src/main.ts' || path === 'src/shell/plain-http.ts') continue;
      assert.doesNotMatch(code.replaceAll(/(['"`])(?:\\.|(?!\1)[^\\])*\1/g, ''), /\bprocess\s*[.[]/, path);
      assert.ok(!imports.includes('node:process'), path);
    }
  });

  it('mints keys in the command line’s development commands only', () => {
    const importers = inSrc.filter((source) =>
      source.imports.some((name) => isLocal(name) && target(source, name).startsWith('certs-dev/')),
    );
    for (const { path } of importers) assert.match(path, /^src\/cli\//);
    assert.ok(!importers.some(({ path }) => path === 'src/cli/serve.ts'), 'production never mints');
    for (const source of sources.filter(({ path }) => path.startsWith('certs-dev/'))) {
      for (const specifier of source.imports.filter(isLocal)) {
        assert.match(target(source, specifier), /^certs-dev\/|^src\/core\//, source.path);
      }
    }
  });

  it('has files of at most 300 lines, and no default exports', () => {
    for (const { path, text, code } of sources) {
      const lines = text.split('\n').length - 1;
      assert.ok(lines <= 300, `${path}: ${lines} lines`);
      assert.doesNotMatch(code, /^\s*export\s+default\b/m, path);
    }
  });

  it('has no cycle between folders, types aside', () => {
    const files = new Map(
      inSrc.map((source) => [
        source.path,
        importsOf(withoutTypeImports(source.code), source.path)
          .filter(isLocal)
          .map((name) => target(source, name)),
      ]),
    );
    const folders = new Map<string, string[]>();
    for (const [path, imported] of files) {
      const folder = nodeOf(path);
      const others = imported.map(nodeOf).filter((other) => other !== folder);
      folders.set(folder, [...(folders.get(folder) ?? []), ...others]);
    }
    assert.equal(cycleIn(folders), undefined);
  });
});

/** A folder is a concept, its own folders included; what lies beside them (errors, limits, wiring) is a concept a file. */
function nodeOf(path: string): string {
  return path.split('/').slice(0, 3).join('/');
}

/** The first cycle, as text; undefined: there is none. */
function cycleIn(graph: ReadonlyMap<string, readonly string[]>): string | undefined {
  const done = new Set<string>();
  const visit = (node: string, above: readonly string[]): string | undefined => {
    if (above.includes(node)) return [...above.slice(above.indexOf(node)), node].join(' → ');
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const found = visit(next, [...above, node]);
      if (found !== undefined) return found;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const found = visit(node, []);
    if (found !== undefined) return found;
  }
  return undefined;
}
