import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { refusals } from '../support/crd-rules.ts';
import { startTestGateway } from '../support/gateway.ts';
import { find, type Manifest, readManifests } from '../support/manifests.ts';
import { createTestPki } from '../support/pki.ts';
import { PROJECT } from '../support/spawned.ts';

const run = promisify(execFile);

/** In kubectl's place: keeps what it is given to apply, gives the Secret that is asked for, and takes part in nothing else. */
const KUBECTL = `#!/usr/bin/env bash
echo "$@" >> "$RECORD/calls"
case "$*" in
  *"--dry-run=client"*) echo "{apiVersion: v1, kind: ConfigMap, metadata: {name: fluxgate-crls}}" ;;
  "apply -f -") cat > "$RECORD/applied-$(date +%s%N).yaml" ;;
  "apply -f "*) cp "$3" "$RECORD/applied-$(date +%s%N).yaml" ;;
  "apply -k "*) cp "$3/kustomization.yaml" "$RECORD/kustomization.yaml" ;;
  *"get secret"*) base64 -w0 "$API_CA_FILE" ;;
esac
`;

const commandsOf = async (page: string): Promise<readonly string[]> =>
  [...(await readFile(join(PROJECT, 'docs', page), 'utf8')).matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map(
    ([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );

describe('every command', () => {
  it('of deploying and joining runs, and what it applies is what an API server takes', async (t) => {
    const dns = 'us-east-prod-01.k8s.example.com';
    const cluster = {
      id: 'us-east-prod-01',
      cluster_name: 'us-east-prod-01',
      cluster_dns: dns,
      environment: 'prod',
    };
    const pki = await createTestPki();
    const gateway = await startTestGateway(t, { pki, seed: { clusters: [cluster] } });
    const at = (name: string): string => join(gateway.directory, name);
    const operator = await pki.operator('alex@example.com', ['platform-team']);
    await mkdir(at('bin'));
    await mkdir(at('record'));
    await writeFile(at('bin/kubectl'), KUBECTL);
    await chmod(at('bin/kubectl'), 0o755);
    await writeFile(at('ca.crt'), gateway.serverCaPem);
    await writeFile(at('operator.crt'), operator.chainPem);
    await writeFile(at('operator.key'), operator.keyPem, { mode: 0o600 });
    // The pages' commands run in the project's root: in a place that looks like it, where they may write.
    const root = at('project');
    await mkdir(root);
    for (const name of ['src', 'node_modules', 'policy', 'certs-dev'])
      await symlink(join(PROJECT, name), join(root, name));
    for (const name of ['package.json', 'openapi.yaml', '.npmrc'])
      await copyFile(join(PROJECT, name), join(root, name));
    await cp(join(PROJECT, 'deploy'), join(root, 'deploy'), { recursive: true });
    await writeFile(join(root, 'clusters.crl'), 'a CRL');
    await writeFile(join(root, 'cluster-token'), 'a-token');
    const env = {
      PATH: `${at('bin')}:${process.env['PATH']}`,
      HOME: gateway.directory,
      RECORD: at('record'),
      API_URL: `https://localhost:${gateway.port}`,
      API_CA_FILE: at('ca.crt'),
      API_CERT_FILE: at('operator.crt'),
      API_KEY_FILE: at('operator.key'),
    };
    for (const page of ['deploying-the-gateway.md', 'joining-a-cluster.md']) {
      const commands = await commandsOf(page);
      assert.ok(commands.length >= 4, page);
      for (const command of commands) {
        const { stderr } = await run('bash', ['--norc', '-euo', 'pipefail', '-c', command], {
          cwd: root,
          env,
        });
        assert.equal(stderr, '', command);
      }
    }

    const applied = (await run('bash', ['-c', 'cat record/applied-*'], { cwd: gateway.directory })).stdout;
    assert.match(applied, /kind: ClusterIssuer/);
    const sets = new Map<string, readonly Manifest[]>();
    for (const name of ['us-east-prod-01', 'by-token', 'by-external-secret']) {
      const objects = readManifests(await readFile(join(root, `${name}.yaml`), 'utf8'));
      assert.deepEqual(objects.flatMap(refusals), [], name);
      sets.set(name, objects);
    }
    const { stringData } = find(sets.get('by-token') ?? [], 'Secret', 'fluxgate-ca') as unknown as {
      stringData: Record<string, string>;
    };
    assert.equal(stringData['ca.crt'], gateway.serverCaPem);
    const kustomization = await readFile(at('record/kustomization.yaml'), 'utf8');
    for (const [, name = ''] of kustomization.matchAll(/name: (fluxgate[\w-]*)/g)) assert.ok(name);
    await renderedByKubectl(t, root);
  });
});

/** The overlay of the page is one that kubectl takes, where there is one: each patch meets what it patches. */
async function renderedByKubectl(t: { diagnostic(text: string): void }, root: string): Promise<void> {
  let text: string;
  try {
    text = (await run('kubectl', ['kustomize', 'my-gateway'], { cwd: root })).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    t.diagnostic('no kubectl on this machine: the overlay was not rendered');
    return;
  }
  const objects = readManifests(text);
  const { containers } = find(objects, 'Deployment', 'fluxgate').spec.template.spec;
  assert.equal(containers[0].image, 'registry.example.com/fluxgate:0.1.0');
  const networks = containers[0].env.find(({ name }: { name: string }) => name === 'OPERATOR_NETWORKS').value;
  const [from] = find(objects, 'NetworkPolicy', 'fluxgate-operators').spec.ingress[0].from;
  assert.equal(from.ipBlock.cidr, networks);
  assert.deepEqual(find(objects, 'Certificate', 'fluxgate-tls').spec.dnsNames, [
    'fluxgate.internal.example.com',
  ]);
}
