import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Minted, mintCa, mintIntermediate } from '../../certs-dev/mint.ts';
import { crlOf, startCrlGateway } from '../support/crls.ts';
import type { TestGateway } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { certificateSha256, lift, revoke } from '../support/revocations.ts';
import { poll, readTrust } from '../support/trust.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const DAY = 86_400_000;

type Told = Readonly<Record<string, readonly (string | undefined)[]>>;

/** SHA-256 of each CA that is told as refused → by which rule, of which certificate, by which revocation. */
async function refusedIn(gateway: TestGateway): Promise<Told> {
  const { authorities } = await readTrust(gateway);
  return Object.fromEntries(
    authorities.flatMap(({ sha256, refused }) =>
      refused === undefined ? [] : [[sha256, [refused.rule, refused.sha256, refused.revocation]]],
    ),
  );
}

const writeBundle = (members: readonly Minted[]) => async (directory: string) => {
  const CLUSTER_CA_FILE = join(directory, 'bundle.crt');
  await writeFile(CLUSTER_CA_FILE, members.map(({ pem }) => pem).join(''));
  return { CLUSTER_CA_FILE };
};

describe('a CA of a bundle', () => {
  it('that its issuer revoked by CRL is told so with the CRL, and what it issued is refused for that', async (t) => {
    const pki = await createTestPki();
    const gateway = await startCrlGateway(
      t,
      { 'root.crl': await crlOf(pki.clusterRoot, [pki.clusterIntermediate], { number: 7 }) },
      { pki },
    );
    const issuing = certificateSha256(pki.clusterIntermediate.pem);
    assert.deepEqual(await refusedIn(gateway), { [issuing]: ['revoked', issuing, undefined] });
    const { authorities } = await readTrust(gateway);
    const told = authorities.find(({ sha256 }) => sha256 === issuing);
    assert.equal(told?.revoked_by, undefined);
    assert.match(
      told?.refused?.detail ?? '',
      /^"CN=test cluster intermediate" .* by CRL no\. 7 of "CN=test cluster root"$/,
    );
    const answer = await poll(gateway, DNS, await pki.cluster(DNS));
    assert.equal(answer.status, 495);
    assert.equal(gateway.logOf(answer)['reason'], `revoked: intermediate 1: ${told?.refused?.detail}`);
    const direct = await pki.cluster(DNS, { issuer: pki.clusterRoot });
    assert.equal((await poll(gateway, DNS, direct)).status, 200, 'the root is trusted still');
    const page = await gateway.send({
      path: '/ui/trust',
      certificate: await pki.operator('sam@example.com'),
      headers: { accept: 'text/html' },
    });
    assert.match(
      page.body.toString(),
      /<p class="sub">[^<]* by CRL no\. 7 of [^<]*<\/p>.*<span class="tag">revoked<\/span>/,
    );
    assert.match(page.body.toString(), /One CA is trusted\./);
  });

  it('is told with what is above it: the root that an operator revoked, and the CRL that ran out', async (t) => {
    const pki = await createTestPki();
    const gateway = await startCrlGateway(t, { 'root.crl': await crlOf(pki.clusterRoot) }, { pki });
    const root = certificateSha256(pki.clusterRoot.pem);
    const issuing = certificateSha256(pki.clusterIntermediate.pem);
    const leaf = await pki.cluster(DNS);
    assert.deepEqual(await refusedIn(gateway), {});
    assert.equal((await poll(gateway, DNS, leaf)).status, 200);
    const { id } = await revoke(gateway, { certificate_sha256: root });
    const bySomebody = ['revoked', root, id];
    assert.deepEqual(await refusedIn(gateway), { [root]: bySomebody, [issuing]: bySomebody });
    assert.equal((await poll(gateway, DNS, leaf)).status, 495);
    assert.equal((await lift(gateway, id)).status, 200);
    assert.deepEqual(await refusedIn(gateway), {});
    assert.equal((await poll(gateway, DNS, leaf)).status, 200);
    gateway.advance(8 * DAY);
    assert.deepEqual(await refusedIn(gateway), { [issuing]: ['crl_stale', issuing, undefined] });
    assert.equal((await poll(gateway, DNS, leaf)).status, 495);
  });

  it('is not told as refused while another issuer of it is in the bundle', async (t) => {
    const pki = await createTestPki();
    const otherRoot = await mintCa('other root');
    const sub = { basicConstraints: { ca: true, pathLen: 1 } };
    const issuing = await mintIntermediate('two roots', pki.clusterRoot, sub);
    const cross = await mintIntermediate('two roots', otherRoot, { ...sub, reuseKeyOf: issuing });
    const under = await mintIntermediate('under two roots', issuing);
    const bundle = [pki.clusterRoot, otherRoot, issuing, cross, under];
    const gateway = await startCrlGateway(
      t,
      { 'root.crl': await crlOf(pki.clusterRoot, [issuing]) },
      { pki, prepare: writeBundle(bundle) },
    );
    const sha256 = certificateSha256(issuing.pem);
    assert.deepEqual(await refusedIn(gateway), { [sha256]: ['revoked', sha256, undefined] });
    const leaf = await pki.cluster(DNS, { issuer: under });
    assert.equal((await poll(gateway, DNS, leaf)).status, 200);
    const { id } = await revoke(gateway, { certificate_sha256: certificateSha256(otherRoot.pem) });
    const told = await refusedIn(gateway);
    assert.deepEqual(
      Object.keys(told).toSorted(),
      [issuing, otherRoot, cross, under].map(({ pem }) => certificateSha256(pem)).toSorted(),
    );
    assert.deepEqual(told[certificateSha256(cross.pem)], ['revoked', certificateSha256(otherRoot.pem), id]);
    assert.equal((await poll(gateway, DNS, leaf)).status, 495);
  });
});
