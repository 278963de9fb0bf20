import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { crlOf } from '../support/crls.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { createTestPki, type MintedChain } from '../support/pki.ts';
import { demoDns, poll } from '../support/trust.ts';

const DNS = demoDns(1);
const pki = await createTestPki();
const [first, second, third] = (await Promise.all([1, 2, 3].map(() => pki.cluster(DNS)))) as [
  MintedChain,
  MintedChain,
  MintedChain,
];
const issuing = pki.clusterIntermediate;
/** Each revokes one more. */
const lists = await Promise.all(
  [[first], [first, second], [first, second, third]].map((revoked, index) =>
    crlOf(issuing, revoked, {
      number: index + 1,
      thisUpdate: new Date(Date.now() - 3_600_000 + index * 1_000),
    }),
  ),
);
const [one = '', two = '', three = ''] = lists;
const ofRoot = await crlOf(pki.clusterRoot);

/** What the contract promises for a change that nobody announces. */
const NOTICED_MS = 5_000;

async function within(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const end = performance.now() + NOTICED_MS;
  while (!(await condition())) {
    assert.ok(performance.now() < end, `${what}: not within ${NOTICED_MS} ms`);
    await pause(50);
  }
}

/** A new version beside the others, and then one rename, as the kubelet does it. */
async function swap(mount: string, version: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(mount, version));
  for (const [name, content] of Object.entries(files)) await writeFile(join(mount, version, name), content);
  await symlink(version, join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
}

const statuses = async (gateway: TestGateway): Promise<number[]> => {
  const found: number[] = [];
  for (const certificate of [first, second, third])
    found.push((await poll(gateway, DNS, certificate)).status);
  return found;
};

const refusals = (gateway: TestGateway) => gateway.log.filter(({ msg }) => msg.startsWith('reload refused'));

async function startMounted(t: TestContext): Promise<TestGateway & { readonly mount: string }> {
  let mount = '';
  const gateway = await startTestGateway(t, {
    pki,
    prepare: async (directory) => {
      mount = join(directory, 'crls');
      await mkdir(mount);
      await swap(mount, '..v1', { 'issuing.crl': one, 'root.crl': ofRoot });
      for (const name of ['issuing.crl', 'root.crl']) await symlink(join('..data', name), join(mount, name));
      return { CRL_DIR: mount };
    },
  });
  return { ...gateway, mount };
}

describe('CRL_DIR as Kubernetes mounts it', () => {
  it('is taken after a swap by itself, and the version before it may be deleted', async (t) => {
    const gateway = await startMounted(t);
    assert.deepEqual(await statuses(gateway), [495, 200, 200]);
    await swap(gateway.mount, '..v2', { 'issuing.crl': two, 'root.crl': ofRoot });
    await rm(join(gateway.mount, '..v1'), { recursive: true });
    await within(async () => (await poll(gateway, DNS, second)).status === 495, 'the second CRL');
    assert.deepEqual(await statuses(gateway), [495, 495, 200]);
    assert.equal(refusals(gateway).length, 0);
  });

  for (const [what, files, says] of [
    [
      'half a CRL',
      { 'issuing.crl': two.slice(0, two.length / 2), 'root.crl': ofRoot },
      /issuing\.crl: .*truncated/,
    ],
    ['an empty file', { 'issuing.crl': '', 'root.crl': ofRoot }, /issuing\.crl: the file is empty/],
    [
      'one good file, and a link to one that is not written yet',
      { 'issuing.crl': two },
      /root\.crl does not exist/,
    ],
    ['no file at all yet', {}, /issuing\.crl does not exist/],
  ] as const) {
    it(`is not taken while a swap has brought ${what}: the last good lists are in force, all of them`, async (t) => {
      const gateway = await startMounted(t);
      await swap(gateway.mount, '..v2', files);
      await within(() => refusals(gateway).length > 0, 'the refusal');
      assert.match(String(refusals(gateway)[0]?.['reason']), says);
      assert.deepEqual(await statuses(gateway), [495, 200, 200]);
      assert.equal((await gateway.send({ path: '/ready' })).status, 200);

      await swap(gateway.mount, '..v3', { 'issuing.crl': three, 'root.crl': ofRoot });
      await within(async () => (await poll(gateway, DNS, third)).status === 495, 'the whole swap');
      assert.deepEqual(await statuses(gateway), [495, 495, 495]);
    });
  }

  it('is taken whole where the directory itself is a link that is swapped', async (t) => {
    const gateway = await startTestGateway(t, {
      pki,
      prepare: async (directory) => {
        await mkdir(join(directory, 'v1'));
        await writeFile(join(directory, 'v1', 'a.crl'), one);
        await symlink('v1', join(directory, 'current'));
        return { CRL_DIR: join(directory, 'current') };
      },
    });
    const { directory } = gateway;
    await mkdir(join(directory, 'v2'));
    await writeFile(join(directory, 'v2', 'b.crl'), two);
    await symlink('v2', join(directory, 'next'));
    await rename(join(directory, 'next'), join(directory, 'current'));
    await within(async () => (await poll(gateway, DNS, second)).status === 495, 'the second CRL');
    assert.deepEqual(await statuses(gateway), [495, 495, 200]);
  });
});

describe('a PEM file with several CRLs', async () => {
  const start = (t: TestContext, content: string): Promise<TestGateway> =>
    startTestGateway(t, {
      pki,
      prepare: async (directory) => {
        await mkdir(join(directory, 'crls'));
        await writeFile(join(directory, 'crls', 'all.pem'), content);
        return { CRL_DIR: join(directory, 'crls') };
      },
    });
  const revokesIntermediate = await crlOf(pki.clusterRoot, [issuing]);

  it('is read to its end: each of them counts, whatever stands between', async (t) => {
    const gateway = await start(t, `issuing\n${two}\n\nroot\n${ofRoot}`);
    assert.deepEqual(await statuses(gateway), [495, 495, 200]);
    const all = await start(t, `${two}${revokesIntermediate}`);
    assert.deepEqual(await statuses(all), [495, 495, 495], 'the last one as well: its CA is revoked');
  });

  it('is taken whole or not at all', async (t) => {
    const gateway = await start(t, one);
    const path = join(gateway.directory, 'crls', 'all.pem');
    for (const [content, says] of [
      [`${three}${ofRoot.slice(0, -30)}`, /block 2 has no END line/],
      [`${three}${ofRoot.replace(/^M../m, '!!!')}`, /a PEM block that is not base64/],
      [`${three}${pki.clusterRoot.pem}`, /where only X509 CRL blocks belong/],
      [
        `${three}${await crlOf((await createTestPki()).clusterRoot)}`,
        /not signed by the key|in neither bundle/,
      ],
    ] as const) {
      await writeFile(path, content);
      assert.equal(await gateway.gateway.reload('SIGHUP'), false);
      assert.match(String(refusals(gateway).at(-1)?.['reason']), says);
      assert.deepEqual(await statuses(gateway), [495, 200, 200]);
    }
    await writeFile(path, `${ofRoot}${three}`);
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    assert.deepEqual(await statuses(gateway), [495, 495, 495]);
  });

  it('of one issuer: the newest of them is in force', async (t) => {
    const gateway = await start(t, `${three}${one}${two}`);
    assert.deepEqual(await statuses(gateway), [495, 495, 495]);
    const shorter = await crlOf(issuing, [first], { number: 9, thisUpdate: new Date(Date.now() - 60_000) });
    await writeFile(join(gateway.directory, 'crls', 'all.pem'), `${three}${shorter}`);
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    assert.deepEqual(await statuses(gateway), [495, 200, 200], 'what the CA itself takes back');
  });
});
