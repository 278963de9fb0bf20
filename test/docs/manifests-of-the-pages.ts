import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { refusals } from '../support/crd-rules.ts';
import { find, type Manifest, readManifests } from '../support/manifests.ts';
import type { Stage } from '../support/page-stage.ts';

const run = promisify(execFile);

/** What the page about joining made a reader apply is what an API server takes. */
export async function holdManifests({ directory, record, gateway }: Stage): Promise<void> {
  const applied = await Promise.all(
    (await readdir(record))
      .filter((name) => name.startsWith('applied-'))
      .map((name) => readFile(join(record, name), 'utf8')),
  );
  assert.match(applied.join('\n'), /kind: ClusterIssuer/);
  const sets = new Map<string, readonly Manifest[]>();
  for (const name of ['us-east-prod-01', 'by-token', 'by-external-secret']) {
    const objects = readManifests(await readFile(join(directory, `${name}.yaml`), 'utf8'));
    assert.deepEqual(objects.flatMap(refusals), [], name);
    sets.set(name, objects);
  }
  const { stringData } = find(sets.get('by-token') ?? [], 'Secret', 'fluxgate-ca') as unknown as {
    stringData: Record<string, string>;
  };
  assert.equal(stringData['ca.crt'], gateway.serverCaPem);
}

/** The overlay of the page about deploying is one that kubectl takes, where there is one: each patch meets what it patches. */
export async function holdKustomization(
  { directory }: Stage,
  t: { diagnostic(text: string): void },
): Promise<void> {
  let text: string;
  try {
    text = (await run('kubectl', ['kustomize', 'my-gateway'], { cwd: directory })).stdout;
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
