import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connectRaw, send } from '../support/client.ts';
import { createTestPki } from '../support/pki.ts';
import { type Ended, freePort } from '../support/spawned.ts';
import { container } from './container.ts';
import { buildImage, type Image, IS_ROOT } from './image.ts';

/** Names, sizes and times of all that is not in /data: equal before and after if nothing else was written. */
async function rootFilesystem(image: Image): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const entry of await readdir(image.root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (path.startsWith(join(image.root, 'data/'))) continue;
    const { size, mtimeMs } = await lstat(path);
    if (!path.endsWith('/data')) lines.push(`${path} ${size} ${mtimeMs}`);
  }
  return lines.sort();
}

async function mountPki(image: Image): Promise<Awaited<ReturnType<typeof createTestPki>>> {
  const pki = await createTestPki();
  const mount = join(image.root, 'etc/fluxgate');
  await mkdir(mount, { recursive: true });
  await pki.write(mount);
  await chmod(join(mount, 'server.key'), 0o644);
  return pki;
}

describe('the container image, running', () => {
  it('serves, tells its health, drains and stops, and writes nothing but /data', async (t) => {
    const image = await buildImage();
    t.after(() => image.remove());
    const pki = await mountPki(image);
    const [port, adminPort] = [await freePort(), await freePort()];
    const settings = {
      API_MODE: 'crud',
      LISTEN_ADDR: `127.0.0.1:${port}`,
      ADMIN_ADDR: `127.0.0.1:${adminPort}`,
      TLS_CERT_FILE: '/etc/fluxgate/server.crt',
      TLS_KEY_FILE: '/etc/fluxgate/server.key',
      CLUSTER_CA_FILE: '/etc/fluxgate/cluster-ca.crt',
      OPERATOR_CA_FILE: '/etc/fluxgate/operator-ca.crt',
    };
    const run = container(t, image, settings);
    const { entrypoint, command, healthcheck } = image.config;
    const before = await rootFilesystem(image);
    const endpoint = { port, serverCaPem: pki.serverCa.pem };
    const checked = (): Promise<Ended> => run(healthcheck).ended;

    const early = await checked();
    assert.equal(early.code, 1, early.stderr);
    assert.match(early.stderr, /^fluxgate: not healthy: .*ECONNREFUSED.*\n$/);

    const gateway = run([...entrypoint, ...command]);
    await gateway.said('"msg":"serving"');
    const ready = await checked();
    assert.deepEqual([ready.code, ready.stdout, ready.stderr], [0, 'ready\n', '']);
    assert.equal((await send(endpoint, { path: '/health' })).status, 200);

    const operator = await pki.operator('operator@example.com', ['platform-team']);
    const dns = 'one.k8s.example.com';
    const body = { id: 'one', cluster_name: 'one', cluster_dns: dns, environment: 'dev' };
    const created = await send(endpoint, { method: 'POST', path: '/clusters', certificate: operator, body });
    assert.equal(created.status, 201);
    const path = `/api/v2/flux/clusters/${dns}/platform-components`;
    const poll = await send(endpoint, { path, certificate: await pki.cluster(dns) });
    assert.deepEqual([poll.status, poll.json()['inputs']], [200, []]);

    const slow = await connectRaw(endpoint, operator);
    let answer = '';
    slow.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    const closed = new Promise((resolve) => slow.once('close', resolve));
    const text = JSON.stringify({ id: 'two', labels: {}, annotations: {} });
    const head = ['POST /namespaces HTTP/1.1', `Host: localhost:${port}`, 'Content-Type: application/json'];
    slow.write([...head, `Content-Length: ${text.length}`, '', text.slice(0, 5)].join('\r\n'));
    await new Promise((resolve) => setTimeout(resolve, 50));

    const asked = Date.now();
    gateway.child.kill('SIGTERM');
    await gateway.said('draining');
    const draining = await checked();
    assert.deepEqual([draining.code, draining.stderr], [1, 'fluxgate: not ready: /ready answered 503\n']);
    slow.write(text.slice(5));
    await closed;
    assert.match(answer, /^HTTP\/1\.1 201 /);

    const ended = await gateway.ended;
    assert.deepEqual([ended.code, ended.signal, ended.stderr], [0, null, '']);
    assert.ok(Date.now() - asked < 10_000);
    assert.deepEqual(await rootFilesystem(image), before);
    assert.ok((await readdir(join(image.root, 'data'))).includes('fluxgate.db'));

    if (IS_ROOT) {
      const again = container(t, image, { ...settings, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' })([
        ...entrypoint,
        ...command,
      ]);
      await again.said('"msg":"serving"');
      assert.equal((await send(endpoint, { path: '/trust', certificate: operator })).status, 200);
      again.child.kill('SIGTERM');
      const { stderr } = await again.ended;
      for (const file of ['cli/serve', 'gateway', 'shell/http/handlers/trust', 'shell/http/ui/handlers']) {
        const found = `V8 code cache for ESM file:///app/src/${file}.ts was accepted`;
        assert.ok(stderr.includes(found), `${file}: what the build compiled is not used`);
      }
    }

    const development = await run([...entrypoint, 'dev']).ended;
    assert.equal(development.code, 1);
    assert.equal(
      development.stderr,
      'fluxgate: this command is for development, and this installation has no certs-dev/\n',
    );
  });
});
