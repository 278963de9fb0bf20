import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { certsDevCommand } from '../../../certs-dev/command.ts';
import { kubernetesSecret } from '../../../certs-dev/kubernetes-secret.ts';

const now = new Date('2026-03-01T12:00:00Z');

async function run(t: TestContext, cluster?: string): Promise<{ directory: string; lines: string[] }> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-certs-dev-'));
  t.after(() => rm(directory, { recursive: true }));
  const lines: string[] = [];
  const out = (line: string): void => void lines.push(line);
  await certsDevCommand({ directory, now, out, ...(cluster === undefined ? {} : { cluster }) });
  return { directory, lines };
}

interface Secret {
  readonly type: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data: Readonly<Record<string, string>>;
}

const decoded = (secret: Secret, key: string): string =>
  Buffer.from(secret.data[key] ?? '', 'base64').toString();

test('the whole output is the YAML of a Secret that holds the chain', async (t) => {
  const { directory, lines } = await run(t);
  const secret: Secret = parse(lines.join('\n'));
  assert.deepEqual(Object.keys(secret), ['apiVersion', 'kind', 'metadata', 'type', 'data']);
  assert.deepEqual(secret.metadata, { name: 'api-client-cert', namespace: 'flux-system' });
  assert.equal(secret.type, 'kubernetes.io/tls');
  assert.deepEqual(Object.keys(secret.data), ['ca.crt', 'tls.crt', 'tls.key']);
  const file = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
  assert.equal(decoded(secret, 'ca.crt'), await file('server-ca.crt'));
  assert.equal(decoded(secret, 'tls.crt'), await file('demo-cluster-01.crt'));
  assert.equal(decoded(secret, 'tls.crt').match(/BEGIN CERTIFICATE/g)?.length, 2, 'leaf and intermediate');
  const leaf = new X509Certificate(decoded(secret, 'tls.crt'));
  assert.equal(leaf.subjectAltName, 'DNS:demo-cluster-01.k8s.example.com');
  assert.ok(leaf.checkPrivateKey(createPrivateKey(decoded(secret, 'tls.key'))));
});

test('says of every file whether it was minted or kept, and until when it is good', async (t) => {
  const { directory, lines } = await run(t);
  assert.ok(lines.includes('# minted   demo-cluster-01.crt  until 2026-05-30'));
  assert.ok(lines.includes('# minted   demo-cluster-01.key'));
  const again: string[] = [];
  await certsDevCommand({ directory, now, out: (line) => again.push(line) });
  assert.ok(again.includes('# kept     demo-cluster-01.crt  until 2026-05-30'));
  assert.equal(again.at(-1), lines.at(-1), 'the same Secret');
});

test('another cluster gets a certificate and a Secret of its own', async (t) => {
  const { lines } = await run(t, 'us-east-prod-01.k8s.example.com');
  const secret: Secret = parse(lines.join('\n'));
  const leaf = new X509Certificate(decoded(secret, 'tls.crt'));
  assert.equal(leaf.subjectAltName, 'DNS:us-east-prod-01.k8s.example.com');
});

test('name and namespace of the Secret can be chosen, and nothing is folded', () => {
  const pem = 'x'.repeat(5_000);
  const yaml = kubernetesSecret({ name: 'n', namespace: 'ns', serverCaPem: pem, chainPem: pem, keyPem: 'k' });
  const secret: Secret = parse(yaml);
  assert.deepEqual(secret.metadata, { name: 'n', namespace: 'ns' });
  assert.equal(decoded(secret, 'tls.crt'), pem);
  assert.equal(yaml.trimEnd().split('\n').length, 10);
});
