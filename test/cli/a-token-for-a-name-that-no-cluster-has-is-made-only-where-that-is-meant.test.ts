import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const AHEAD = 'later.k8s.example.com';

it('a token for a name that no cluster has is made only where that is meant', async (t) => {
  const line = await startCommandLine(t);
  const create = (dns: string, ...more: readonly string[]) =>
    // One name is for one cluster.
    line.run([
      ...'token create --kind cluster --ttl 1h -o json'.split(' '),
      `for-${dns}`,
      '--cluster-dns',
      dns,
      ...more,
    ]);
  const made = async (): Promise<readonly unknown[]> =>
    (JSON.parse((await line.run(['token', 'list', '-o', 'json'])).stdout) as { cluster_dns: unknown }[]).map(
      ({ cluster_dns }) => cluster_dns,
    );
  const to = join(line.directory, 'x.token');
  const slip = await create('demo-clsuter-01.k8s.example.com', '--to', to);
  assert.deepEqual([slip.code, slip.stdout], [4, ''], slip.stderr);
  assert.match(
    slip.stderr,
    /^fluxgate: no cluster .* fleet: demo-clsuter-01\.k8s\.example\.com; is demo-cluster-01 meant\? No token was made; --unknown/,
  );
  assert.equal(existsSync(to), false, 'nor a file for one');
  assert.equal((await create(AHEAD)).code, 4);
  assert.deepEqual(await made(), []);

  for (const ended of [
    await create(DNS),
    await create('demo-cluster-01'),
    await create(AHEAD, '--unknown'),
  ]) {
    assert.deepEqual([ended.code, ended.stderr], [0, '']);
  }
  assert.deepEqual((await made()).toSorted(), [DNS, DNS, AHEAD]);

  for (const [path, says] of [
    [line.directory, `--to: ${line.directory} is there already: a token is written into a new file only`],
    [
      join(line.directory, 'no/such/x'),
      `--to: there is no directory ${line.directory}/no/such: make it first (mkdir -p), or name a file elsewhere`,
    ],
  ] as const) {
    const before = (await made()).length;
    const ended = await create(DNS, '--to', path);
    assert.deepEqual([ended.code, ended.stderr], [78, `fluxgate: ${says}\n`]);
    assert.equal((await made()).length, before, 'no token is made that nobody gets');
  }

  // Their role makes tokens and reads no clusters.
  const { chainPem, keyPem } = await line.gateway.pki.operator('kim@example.com', ['fluxgate:security']);
  const [cert, key] = [join(line.directory, 'kim.crt'), join(line.directory, 'kim.key')];
  await writeFile(cert, chainPem);
  await writeFile(key, keyPem, { mode: 0o600 });
  const blind = await create('demo_cluster_01', '--cert', cert, '--key', key);
  assert.equal(blind.code, 8, 'what is no DNS name is refused by the gateway');
  const unseen = await create(AHEAD, '--cert', cert, '--key', key);
  assert.equal(unseen.code, 0, unseen.stderr);
  assert.equal(
    unseen.stderr,
    `whether a cluster has the name ${AHEAD} is not known: this credential may not read the fleet\n`,
  );
});
