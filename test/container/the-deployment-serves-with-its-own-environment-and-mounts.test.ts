import assert from 'node:assert/strict';
import { chmod, chown, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { mintCa, mintIntermediate } from '../../certs-dev/mint.ts';
import { connectRaw, send } from '../support/client.ts';
import { kustomize } from '../support/kustomize.ts';
import { find } from '../support/manifests.ts';
import { createTestPki } from '../support/pki.ts';
import { freePort, PROJECT } from '../support/spawned.ts';
import { until } from '../support/until.ts';
import { container } from './container.ts';
import { buildImage, IS_ROOT } from './image.ts';

interface Volume {
  readonly name: string;
  readonly secret?: {
    readonly secretName: string;
    readonly defaultMode: number;
    readonly items: readonly Item[];
  };
  readonly configMap?: { readonly optional: boolean };
}
interface Item {
  readonly key: string;
  readonly path: string;
}

const { spec } = find(kustomize(join(PROJECT, 'deploy/gateway')), 'Deployment', 'fluxgate');
const pod = spec.template.spec as {
  securityContext: { fsGroup: number };
  volumes: Volume[];
  containers: {
    args: string[];
    env: { name: string; value: string }[];
    volumeMounts: { name: string; mountPath: string }[];
    readinessProbe: { exec: { command: string[] } };
  }[];
};
const [gateway] = pod.containers;
assert.ok(gateway !== undefined);

/** As the kubelet lays a Secret or ConfigMap out: files behind two symlinks, the first of which is swapped when it changes. */
async function mount(
  directory: string,
  files: Readonly<Record<string, string>>,
  mode: number,
): Promise<void> {
  const version = `..${Object.keys(files).length}_${Math.trunc(performance.now() * 1_000)}`;
  await mkdir(join(directory, version), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, version, name);
    await writeFile(path, text);
    if (IS_ROOT) await chown(path, 0, pod.securityContext.fsGroup);
    await chmod(path, mode);
    const link = join(directory, name);
    await rm(link, { force: true });
    await symlink(join('..data', name), link);
  }
  await symlink(version, join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
}

describe('the Deployment', () => {
  it('serves with its own environment and mounts, in its sandbox, and takes a renewed certificate', async (t) => {
    const image = await buildImage();
    t.after(() => image.remove());
    const root = await mintCa('root');
    const authority = (name: string) => mintIntermediate(name, root);
    const [servers, clusters, operators] = await Promise.all(
      ['servers', 'clusters', 'operators'].map(authority),
    );
    assert.ok(servers && clusters && operators);
    const pki = await createTestPki({ server: { issuer: servers } });
    const secrets: Record<string, Record<string, string>> = {
      'fluxgate-tls': { 'tls.crt': pki.server.chainPem, 'tls.key': pki.server.keyPem, 'ca.crt': root.pem },
      'fluxgate-cluster-ca': { 'tls.crt': clusters.pem, 'tls.key': clusters.keyPem, 'ca.crt': root.pem },
      'fluxgate-operator-ca': { 'tls.crt': operators.pem, 'tls.key': operators.keyPem, 'ca.crt': root.pem },
    };
    const placeOf = (name: string): string =>
      join(image.root, gateway.volumeMounts.find((one) => one.name === name)?.mountPath ?? assert.fail(name));
    const mountAll = async (): Promise<void> => {
      for (const { name, secret, configMap } of pod.volumes) {
        if (secret !== undefined) {
          const data = secrets[secret.secretName] ?? assert.fail(secret.secretName);
          const files = secret.items.map(({ key, path }) => [path, data[key] ?? assert.fail(key)] as const);
          await mount(placeOf(name), Object.fromEntries(files), IS_ROOT ? secret.defaultMode : 0o400);
        } else if (configMap !== undefined) {
          assert.equal(configMap.optional, true);
          await mount(placeOf(name), {}, 0o440);
        }
      }
    };
    await mountAll();

    const env = Object.fromEntries(gateway.env.map(({ name, value }) => [name, value]));
    const [port, adminPort] = [await freePort(), await freePort()];
    // Nothing but the ports, which others on this machine may have, and the operators' network, from which this test does not come.
    const run = container(t, image, {
      ...env,
      LISTEN_ADDR: (env['LISTEN_ADDR'] ?? '').replace(':8443', `:${port}`),
      ADMIN_ADDR: (env['ADMIN_ADDR'] ?? '').replace(':9090', `:${adminPort}`),
      OPERATOR_NETWORKS: `${env['OPERATOR_NETWORKS']},127.0.0.0/8`,
    });
    const { entrypoint } = image.config;
    const process = run([...entrypoint, ...gateway.args]);
    await process.said('"msg":"serving"');
    assert.doesNotMatch(process.stdout(), /SANDBOX=off|running as root/);

    const probe = await run(gateway.readinessProbe.exec.command).ended;
    assert.deepEqual([probe.code, probe.stdout, probe.stderr], [0, 'ready\n', '']);
    (await connectRaw({ port, serverCaPem: root.pem })).destroy();

    const endpoint = { port, serverCaPem: root.pem };
    const operator = await pki.operator('alex@example.com', ['platform-team'], { issuer: operators });
    const dns = 'one.k8s.example.com';
    const body = { id: 'one', cluster_name: 'one', cluster_dns: dns, environment: 'dev' };
    assert.equal(
      (await send(endpoint, { method: 'POST', path: '/clusters', certificate: operator, body })).status,
      201,
    );
    const path = `/api/v2/flux/clusters/${dns}/namespaces`;
    const cluster = await pki.cluster(dns, { issuer: clusters });
    assert.equal((await send(endpoint, { path, certificate: cluster })).status, 200);
    assert.equal((await send(endpoint, { path: '/clusters', certificate: cluster })).status, 403);

    const metrics = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
    assert.equal(metrics.status, 200);
    await metrics.text();

    const renewed = await createTestPki({ server: { issuer: servers } });
    secrets['fluxgate-tls'] = { 'tls.crt': renewed.server.chainPem, 'tls.key': renewed.server.keyPem };
    await mountAll();
    await until(() => process.stdout().includes('"msg":"reloaded"'), 'a reload');
    assert.equal((await send(endpoint, { path, certificate: cluster })).status, 200);

    process.child.kill('SIGTERM');
    const ended = await process.ended;
    assert.deepEqual([ended.code, ended.stderr], [0, '']);
  });
});
