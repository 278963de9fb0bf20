import assert from 'node:assert/strict';
import { mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { DEMO_SEED } from '../../src/core/fleet/demo-fleet.ts';
import { FLEET } from '../../src/shell/store/migrations/0001-fleet.ts';
import { APPLICATION_ID } from '../../src/shell/store/migrations/migrate.ts';
import { serveEnvironment, servingPort } from '../cli/serve-environment.ts';
import { send } from '../support/client.ts';
import { createTestPki, type TestPki } from '../support/pki.ts';
import { fluxgate } from '../support/spawned.ts';

const OPERATOR = 'operator@example.com';

/** A Secret as Kubernetes mounts it: names that point to `..data/`, which points to a directory that is replaced. */
async function project(mount: string, version: string, pki: TestPki): Promise<void> {
  await mkdir(join(mount, version), { recursive: true });
  await pki.write(join(mount, version));
  await symlink(version, join(mount, '..data-next'));
  await rename(join(mount, '..data-next'), join(mount, '..data'));
}

describe('in the sandbox', () => {
  it('an old store is upgraded with a backup, written, and trust is swapped under it', async (t) => {
    const { directory, environment, pki } = await serveEnvironment(t);
    const [mount, data] = [join(directory, 'mount'), join(directory, 'data')];
    await project(mount, '..first', pki);
    const files = await readdir(join(mount, '..first'));
    for (const name of files) await symlink(join('..data', name), join(mount, name));
    await mkdir(data);
    const old = new SqliteDatabase(join(data, 'fleet.db'));
    old.exec(FLEET);
    old.pragma(`application_id = ${APPLICATION_ID}`);
    old.pragma('user_version = 1');
    old.close();
    const seed = join(directory, 'seed.json');
    await writeFile(seed, JSON.stringify(DEMO_SEED));
    const moved = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, value.replace(`${directory}/`, `${mount}/`)]),
    );
    const gateway = fluxgate(t, ['serve'], {
      environment: {
        ...moved,
        API_MODE: 'crud',
        DATABASE_URL: `sqlite://${join(data, 'fleet.db')}`,
        SEED_FILE: seed,
      },
    });
    await gateway.said('"msg":"serving"');
    const endpoint = { port: servingPort(gateway.stdout()), serverCaPem: pki.serverCa.pem };
    assert.ok((await readdir(data)).includes('fleet.db.schema-1.backup'));
    const body = { id: 'made-inside', labels: {}, annotations: {} };
    const certificate = await pki.operator(OPERATOR, ['platform-team']);
    const created = await send(endpoint, { method: 'POST', path: '/namespaces', certificate, body });
    assert.equal(created.status, 201);
    assert.ok((await readdir(data)).includes('fleet.db-wal'));

    const next = await createTestPki();
    await project(mount, '..second', next);
    await gateway.said('"trigger":"file change","generation":2');
    const after = { ...endpoint, serverCaPem: next.serverCa.pem };
    const entitled = await next.operator(OPERATOR, ['platform-team']);
    assert.equal((await send(after, { path: '/namespaces/made-inside', certificate: entitled })).status, 200);
    assert.equal((await send(after, { path: '/namespaces/made-inside', certificate })).status, 495);

    gateway.child.kill('SIGHUP');
    await gateway.said('"trigger":"SIGHUP","generation":3');
    gateway.child.kill('SIGTERM');
    const { code, stderr } = await gateway.ended;
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('root is refused where it is production, unless it is allowed', {
    skip: process.getuid?.() !== 0 && 'only root can be refused as root',
  }, async (t) => {
    const { environment } = await serveEnvironment(t);
    const production = { ...environment, NODE_ENV: 'production' };
    const refused = await fluxgate(t, ['serve'], { environment: production }).ended;
    assert.deepEqual(
      [refused.code, refused.stderr],
      [78, 'fluxgate: NODE_ENV=production and the user is root: use another user, or set ALLOW_ROOT=on\n'],
    );
    const allowed = fluxgate(t, ['serve'], { environment: { ...production, ALLOW_ROOT: 'on' } });
    await allowed.said('"msg":"serving"');
  });

  it('what NODE_OPTIONS adds to it, or takes from it, is a refusal to start', async (t) => {
    const { environment } = await serveEnvironment(t);
    for (const option of ['--permission-audit', '--permission --allow-child-process --allow-fs-read=*']) {
      const { code, stderr } = await fluxgate(t, ['serve'], {
        environment: { ...environment, NODE_OPTIONS: option },
      }).ended;
      assert.equal(code, 78, stderr);
      assert.match(stderr, /^fluxgate: SANDBOX: .*NODE_OPTIONS/m);
    }
  });
});
