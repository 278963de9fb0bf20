import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PROJECT } from '../support/spawned.ts';
import { dockerignore, parseDockerfile } from './dockerfile.ts';
import { buildImage, type Image, IS_ROOT, productionPackages } from './image.ts';

const read = (name: string): Promise<string> => readFile(join(PROJECT, name), 'utf8');

/** Paths of all files below a directory, relative to it. */
async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

describe('the container image', () => {
  let image: Image;
  before(async () => {
    image = await buildImage();
  });
  after(() => image.remove());

  it('01 runs the Node that package.json pins, on the Debian that its libraries come from', async () => {
    const { buildArguments, stages } = parseDockerfile(await read('Dockerfile'));
    const { optionalDependencies } = JSON.parse(await read('package.json')) as {
      optionalDependencies: Record<string, string>;
    };
    for (const version of Object.values(optionalDependencies)) {
      assert.equal(buildArguments['NODE_VERSION'], version);
    }
    assert.deepEqual(
      stages.map(({ base }) => base),
      [`node:${buildArguments['NODE_VERSION']}-trixie-slim`, 'gcr.io/distroless/cc-debian13:nonroot'],
    );
  });

  it('02 holds no source but what is served, and the packages of production', async () => {
    const app = join(image.root, 'app');
    const top = ['.npmrc', 'LICENSE', 'node_modules', 'openapi.yaml', 'package-lock.json', 'package.json'];
    assert.deepEqual((await readdir(app)).sort(), [...top, 'policy', 'src']);
    for (const path of await filesBelow(join(app, 'src'))) {
      assert.match(
        path,
        /\.ts$|^shell\/(checked\.json|tls\/openssl\.cnf)$|\/ui\/assets\/(page\.css|page\.js|icon\.svg)$/,
      );
    }
    for (const path of await filesBelow(join(app, 'policy'))) assert.match(path, /\.cedar(schema)?$/);
    const scoped = (name: string): Promise<readonly string[]> =>
      name.startsWith('@') ? readdir(join(app, 'node_modules', name)) : Promise.resolve(['']);
    const packages: string[] = [];
    for (const name of await readdir(join(app, 'node_modules'))) {
      if (name === '.cache') continue; // what Node compiled, put there by the build
      for (const inner of await scoped(name)) packages.push(join('node_modules', name, inner));
    }
    assert.deepEqual(
      packages.map((path) => path.replace(/\/$/, '')).sort(),
      [...(await productionPackages())].sort(),
    );
  });

  it('03 holds no test, no development PKI, no key, no database', async () => {
    for (const path of await filesBelow(join(image.root, 'app'))) {
      assert.doesNotMatch(path, /^(test|certs-dev|data|bench|docs|\.git)\//);
      if (path.startsWith('node_modules/')) continue;
      assert.doesNotMatch(path, /\.(key|pem|crt|db|test\.ts)$/);
      const text = await readFile(join(image.root, 'app', path), 'utf8');
      assert.doesNotMatch(text, /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{32}/, path);
    }
  });

  it('04 sends nothing to the builder but what is copied', async () => {
    const lets = dockerignore(await read('.dockerignore'));
    const { stages } = parseDockerfile(await read('Dockerfile'));
    const copied = stages
      .flatMap(({ instructions }) => instructions)
      .filter(({ name, flags }) => name === 'COPY' && flags['from'] === undefined)
      .flatMap(({ text }) => text.split(/\s+/).slice(0, -1))
      .map((path) => path.replace(/^\.\//, ''));
    const sent = (await readdir(PROJECT)).filter(lets);
    assert.deepEqual(sent.sort(), copied.sort());
  });

  it('05 needs no install script of any package in production', async () => {
    for (const path of await productionPackages()) {
      const { scripts = {} } = JSON.parse(await read(join(path, 'package.json'))) as {
        scripts?: Record<string, string>;
      };
      for (const name of ['preinstall', 'install', 'postinstall'])
        assert.equal(scripts[name], undefined, path);
    }
  });

  it('06 has no shell, and asks for none', async () => {
    const names = (await filesBelow(image.root)).filter((path) => !path.startsWith('app/'));
    assert.deepEqual(
      names.filter((path) => /(^|\/)(sh|bash|dash|busybox|npm|npx)$/.test(path)),
      [],
    );
    const { healthcheck, entrypoint, command } = image.config;
    assert.deepEqual(entrypoint, ['/usr/local/bin/node', '/app/src/main.ts']);
    assert.deepEqual(command, ['serve']);
    assert.deepEqual(healthcheck, [...entrypoint, 'healthcheck']);
    const last = parseDockerfile(await read('Dockerfile')).stages.at(-1);
    assert.ok(last?.instructions.every(({ name }) => name !== 'RUN'));
  });

  it('07 runs as a numbered user who owns nothing but the volume of the database', async () => {
    const { user, volumes, environment } = image.config;
    assert.match(user, /^[1-9]\d*:[1-9]\d*$/);
    assert.deepEqual(volumes, ['/data']);
    assert.equal(environment['DATABASE_URL'], 'sqlite:///data/fluxgate.db');
    for (const path of ['app', 'app/src', 'app/src/main.ts', 'app/node_modules', 'usr/local/bin/node']) {
      const { mode, uid } = await stat(join(image.root, path));
      assert.equal(mode & 0o022, 0, `${path} may be written by others`);
      if (IS_ROOT) assert.equal(uid, 0, path);
    }
    if (IS_ROOT) assert.equal((await stat(join(image.root, 'data'))).uid, Number(user.split(':')[0]));
  });

  it('08 says what it is', () => {
    const { labels } = image.config;
    const prefix = 'org.opencontainers.image';
    for (const name of ['title', 'description', 'licenses']) assert.ok(labels[`${prefix}.${name}`], name);
  });
});
