import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  DEMO_CLUSTERS,
  type DevelopmentPki,
  type DevelopmentPkiOptions,
  ensureDevelopmentPki,
} from '../../../certs-dev/development-pki.ts';
import { StartupError } from '../../../src/core/errors.ts';
import { judge } from '../../../src/core/identity/judge.ts';
import { createTrust, readBundle } from '../../../src/core/identity/trust.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const DAY_MS = 86_400_000;
const later = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS);
const FILES = [
  'cluster-ca.crt',
  'cluster-ca.key',
  'cluster-issuing-ca.key',
  'demo-cluster-01.crt',
  'demo-cluster-01.key',
  'demo-cluster-02.crt',
  'demo-cluster-02.key',
  'demo-cluster-03.crt',
  'demo-cluster-03.key',
  'operator-ca.crt',
  'operator-ca.key',
  'operator.crt',
  'operator.key',
  'server-ca.crt',
  'server-ca.key',
  'server.crt',
  'server.key',
];

async function freshDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-pki-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

function ensure(
  directory: string,
  now = NOW,
  more: Partial<DevelopmentPkiOptions> = {},
): Promise<DevelopmentPki> {
  return ensureDevelopmentPki({ directory, now, ...more });
}

/** Bytes, mode, inode and time of change: a file that was written again has another inode. */
async function snapshot(directory: string): Promise<Record<string, string>> {
  const entries: Record<string, string> = {};
  for (const name of (await readdir(directory)).sort()) {
    const { mode, ino, mtimeNs } = await stat(join(directory, name), { bigint: true });
    entries[name] = `${mode} ${ino} ${mtimeNs} ${await readFile(join(directory, name), 'utf8')}`;
  }
  return entries;
}

function changed(pki: DevelopmentPki): string[] {
  return pki.files.flatMap(({ name, change }) => (change === 'kept' ? [] : [`${change} ${name}`])).sort();
}

const blocks = (pem: string): X509Certificate[] =>
  pem
    .match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)
    ?.map((one) => new X509Certificate(one)) ?? [];

/** The gateway's own verdict on what a client would present, with OpenSSL's opinion set aside. */
async function principalOf(pki: DevelopmentPki, chainPem: string, now: Date): Promise<string> {
  const trust = createTrust({
    cluster: readBundle(await readFile(pki.clusterCaPath), 'CLUSTER_CA_FILE'),
    operator: readBundle(await readFile(pki.operatorCaPath), 'OPERATOR_CA_FILE'),
  });
  const presented = blocks(chainPem).map(({ raw }) => new Uint8Array(raw));
  const openssl = { authorized: true, error: undefined };
  const verdict = judge({ presented, openssl, trust, nowMs: now.getTime() });
  if (!verdict.accepted) return verdict.refusal.rule;
  const { principal } = verdict;
  return principal.kind === 'cluster' ? principal.dns : `${principal.name} ${principal.groups.join(' ')}`;
}

test('mints everything, and what it mints is accepted', async (t) => {
  const directory = await freshDirectory(t);
  const pki = await ensure(directory);
  assert.deepEqual((await readdir(directory)).sort(), FILES, 'no temporary file stays');
  assert.deepEqual(
    changed(pki),
    FILES.map((name) => `minted ${name}`),
  );
  for (const dns of DEMO_CLUSTERS) {
    assert.equal(await principalOf(pki, pki.clusters.get(dns)?.chainPem ?? '', NOW), dns);
  }
  assert.equal(await principalOf(pki, pki.operator.chainPem, NOW), 'operator@example.com platform-team');
  const [server] = blocks(await readFile(pki.server.certificatePath, 'utf8'));
  const [serverCa] = blocks(pki.serverCaPem);
  assert.ok(server && serverCa && server.checkIssued(serverCa) && server.verify(serverCa.publicKey));
  assert.ok(server.checkHost('localhost') && server.checkIP('127.0.0.1') && server.checkIP('::1'));
});

test('what a client presents is in the file: the leaf, and then its intermediate', async (t) => {
  const pki = await ensure(await freshDirectory(t));
  const bundle = blocks(await readFile(pki.clusterCaPath, 'utf8'));
  for (const { certificatePath, keyPath, chainPem, keyPem } of pki.clusters.values()) {
    assert.equal(await readFile(certificatePath, 'utf8'), chainPem);
    assert.equal(await readFile(keyPath, 'utf8'), keyPem);
    const [leaf, intermediate, ...more] = blocks(chainPem);
    assert.ok(leaf && intermediate && leaf.checkIssued(intermediate));
    assert.equal(intermediate.fingerprint256, bundle[1]?.fingerprint256);
    assert.equal(more.length, 0);
  }
});

test('leaves live for 90 days and CAs for five years', async (t) => {
  const pki = await ensure(await freshDirectory(t));
  const days = (pem: string): number[] =>
    blocks(pem).map((one) => (one.validToDate.getTime() - one.validFromDate.getTime()) / DAY_MS);
  assert.deepEqual(days(await readFile(pki.clusterCaPath, 'utf8')), [1825, 1825]);
  assert.deepEqual(days(pki.operator.chainPem + pki.server.chainPem), [90, 90]);
});

test('keys are for their owner only, whatever the umask', async (t) => {
  const umask = process.umask(0);
  t.after(() => process.umask(umask));
  const directory = await freshDirectory(t);
  await ensure(directory);
  for (const name of FILES) {
    const { mode } = await stat(join(directory, name));
    assert.equal(mode & 0o777, name.endsWith('.key') ? 0o600 : 0o644, name);
  }
});

test('a second run touches nothing', async (t) => {
  const directory = await freshDirectory(t);
  await ensure(directory);
  const before = await snapshot(directory);
  const lines: string[] = [];
  const pki = await ensure(directory, later(59), { log: (line) => lines.push(line) });
  assert.deepEqual(changed(pki), []);
  assert.deepEqual(lines, []);
  assert.deepEqual(await snapshot(directory), before);
});

test('leaves are renewed in the last third of their life, with a new key; CAs stay', async (t) => {
  const directory = await freshDirectory(t);
  const before = await ensure(directory);
  const pki = await ensure(directory, later(60));
  const leaves = FILES.filter((name) => !name.includes('ca.'));
  assert.deepEqual(
    changed(pki),
    leaves.map((name) => `renewed ${name}`),
  );
  assert.notEqual(pki.operator.keyPem, before.operator.keyPem);
  assert.match(pki.files.find(({ name }) => name === 'operator.crt')?.reason ?? '', /last third/);
  assert.equal(
    await principalOf(pki, pki.operator.chainPem, later(100)),
    'operator@example.com platform-team',
  );
});

test('what expired is renewed; a renewed CA keeps its key, so that what it issued stays good', async (t) => {
  const directory = await freshDirectory(t);
  const before = await ensure(directory);
  const pki = await ensure(directory, later(5 * 365 + 1));
  const keysOfCas = ['cluster-ca.key', 'cluster-issuing-ca.key', 'operator-ca.key', 'server-ca.key'];
  const expected = FILES.filter((name) => !keysOfCas.includes(name));
  assert.deepEqual(
    changed(pki),
    expected.map((name) => `renewed ${name}`),
  );
  assert.match(pki.files.find(({ name }) => name === 'server-ca.crt')?.reason ?? '', /expired/);
  assert.equal(
    await principalOf(pki, before.operator.chainPem, later(1)),
    'not_yet_valid',
    'the new CA is newer',
  );
  const [server] = blocks(before.server.chainPem);
  assert.ok(server?.verify(blocks(pki.serverCaPem)[0]?.publicKey ?? assert.fail()));
});

test('a CA that is replaced by another takes its leaves with it, and no others', async (t) => {
  const directory = await freshDirectory(t);
  await ensure(directory);
  await rm(join(directory, 'operator-ca.crt'));
  await rm(join(directory, 'operator-ca.key'));
  const pki = await ensure(directory);
  assert.deepEqual(changed(pki), [
    'minted operator-ca.crt',
    'minted operator-ca.key',
    'renewed operator.crt',
    'renewed operator.key',
  ]);
  assert.match(pki.files.find(({ name }) => name === 'operator.crt')?.reason ?? '', /another CA/);
});

test('a lost CA certificate comes back under the same key, and its leaves stay', async (t) => {
  const directory = await freshDirectory(t);
  await ensure(directory);
  await rm(join(directory, 'operator-ca.crt'));
  const pki = await ensure(directory);
  assert.deepEqual(changed(pki), ['minted operator-ca.crt']);
  assert.equal(await principalOf(pki, pki.operator.chainPem, NOW), 'operator@example.com platform-team');
});

test('files that do not belong together, or are no certificates, are minted again', async (t) => {
  const directory = await freshDirectory(t);
  const at = (name: string): string => join(directory, name);
  const pki = await ensure(directory);
  await writeFile(at('demo-cluster-01.key'), await readFile(at('demo-cluster-02.key')));
  await writeFile(at('demo-cluster-03.crt'), await readFile(at('demo-cluster-02.crt')));
  await writeFile(at('demo-cluster-03.key'), await readFile(at('demo-cluster-02.key')));
  await writeFile(at('operator.crt'), pki.operator.chainPem.replace(/.{20}\n-----END/, 'AAAA\n-----END'));
  await writeFile(at('server.key'), 'no key');
  const again = await ensure(directory);
  const reasonOf = (name: string): string | undefined =>
    again.files.find((file) => file.name === name)?.reason;
  assert.equal(reasonOf('demo-cluster-01.crt'), 'its key belongs to another certificate');
  assert.equal(reasonOf('demo-cluster-03.crt'), 'it says something else than is wanted now');
  assert.match(reasonOf('operator.crt') ?? '', /it cannot be read|another CA/);
  assert.equal(reasonOf('server.crt'), 'its key cannot be read');
  assert.deepEqual(
    changed(again).filter((line) => line.includes('-02') || line.includes('-ca')),
    [],
  );
  assert.equal(await principalOf(again, again.operator.chainPem, NOW), 'operator@example.com platform-team');
});

test('other clusters have a folder of their own', async (t) => {
  const directory = await freshDirectory(t);
  const pki = await ensure(directory, NOW, { clusters: ['server', 'demo-cluster-02.k8s.example.com'] });
  assert.deepEqual(await readdir(join(directory, 'clusters')), ['server.crt', 'server.key']);
  assert.equal(await principalOf(pki, pki.clusters.get('server')?.chainPem ?? '', NOW), 'server');
  assert.equal(pki.clusters.size, 4);
});

test('a name that is no cluster’s DNS name is refused before anything is written', async (t) => {
  const directory = await freshDirectory(t);
  for (const dns of ['../x', 'A.example', 'a..b', '*.example', '', 'a/b', '10.0.0.1']) {
    await assert.rejects(ensure(directory, NOW, { clusters: [dns] }), StartupError, dns);
  }
  assert.deepEqual(await readdir(directory), []);
});

test('a file that cannot be read is a clear refusal', async (t) => {
  const directory = await freshDirectory(t);
  await ensure(directory);
  await rm(join(directory, 'operator.key'));
  await mkdir(join(directory, 'operator.key'));
  await assert.rejects(ensure(directory), StartupError);
});
