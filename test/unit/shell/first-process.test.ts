import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url));

/** The URLs of all modules that a process has once it imported these files, and the names of Node's own. */
function loadedBy(...files: readonly string[]): string[] {
  const code = `
    const { registerHooks } = await import('node:module');
    const urls = [];
    registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } });
    for (const file of ${JSON.stringify(files.map((file) => `file://${at(file)}`))}) await import(file);
    console.log(JSON.stringify([...urls, ...process.moduleLoadList]));`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as string[];
}

const packagesOf = (urls: readonly string[]): string[] =>
  [...new Set(urls.map((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]))].filter(
    (name) => name !== undefined,
  );

/** Of the process that is told to serve, until it is refused for what it is not told. */
function loadedByServe(): string[] {
  const code = `
    import { registerHooks } from 'node:module';
    const urls = [];
    registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } });
    process.on('exit', () => console.log(JSON.stringify(urls)));`;
  const hooks = `data:text/javascript,${encodeURIComponent(code)}`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', hooks, at('main.ts'), 'serve'],
    {
      encoding: 'utf8',
      env: {},
    },
  );
  assert.equal(status, 78, stderr);
  return JSON.parse(stdout) as string[];
}

test('the process that puts itself into the sandbox loads no policies, certificates, store, command line or log', () => {
  const urls = loadedByServe();
  assert.ok(urls.includes(`file://${at('cli/sandbox.ts')}`));
  const packages = packagesOf(urls);
  for (const dear of [
    '@cedar-policy/cedar-wasm',
    'better-sqlite3',
    'pkijs',
    'ajv',
    'openapi-backend',
    'prom-client',
    'commander',
    'pino',
  ])
    assert.ok(!packages.includes(dear), dear);
});

test('a gateway loads what operators, seeds and OpenID Connect need when they need it, and of fetch nothing', () => {
  const urls = loadedBy('cli/run-gateway.ts');
  const packages = packagesOf(urls);
  for (const needed of ['@cedar-policy/cedar-wasm', 'better-sqlite3', 'pkijs'])
    assert.ok(packages.includes(needed));
  for (const later of ['yaml', 'jose', '@secretlint/core', '@secretlint/secretlint-rule-preset-recommend'])
    assert.ok(!packages.includes(later), later);
  assert.ok(!urls.some((url) => url.includes('/src/shell/http/handlers/fleet.ts')));
  assert.ok(urls.includes('NativeModule https'));
  assert.ok(!urls.some((url) => url.includes('undici')), 'see plain-http.ts');
});
