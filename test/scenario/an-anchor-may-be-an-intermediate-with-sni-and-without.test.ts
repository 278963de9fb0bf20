import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { mintIntermediate } from '../../certs-dev/mint.ts';
import { createTestPki, type MintedChain, type TestPki } from '../support/pki.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const OWN = 'demo-cluster-01.k8s.example.com';
const PATH = `/api/v2/flux/clusters/${OWN}/platform-components`;

/** Corporate root → two sibling issuing CAs; the bundle holds only the first. */
async function underIssuingCaOnly(): Promise<{
  readonly pki: TestPki;
  readonly trusted: MintedChain;
  readonly sibling: MintedChain;
}> {
  const minted = await createTestPki();
  const other = await mintIntermediate('sibling issuing CA', minted.clusterRoot);
  const trusted = await minted.cluster(OWN);
  const sibling = await minted.cluster(OWN, { issuer: other });
  const pki: TestPki = {
    ...minted,
    clusterBundlePem: minted.clusterIntermediate.pem,
    write: async (directory) => {
      const written = await minted.write(directory);
      const path = join(directory, 'issuing-ca-only.crt');
      await writeFile(path, minted.clusterIntermediate.pem);
      return { ...written, environment: { ...written.environment, CLUSTER_CA_FILE: path } };
    },
  };
  return { pki, trusted, sibling };
}

describe('an anchor that is an intermediate', async () => {
  const { pki, trusted, sibling } = await underIssuingCaOnly();
  const gateway = shareGateway({ pki });

  for (const serverName of ['localhost', '']) {
    const how = serverName === '' ? 'connecting to an IP address, without SNI' : 'with SNI';
    it(`accepts what it issued: ${how}`, async () => {
      const answer = await gateway().send({ path: PATH, certificate: trusted, serverName });
      assert.equal(answer.status, 200, answer.body.toString());
      const leafOnly = { chainPem: trusted.pem, keyPem: trusted.keyPem };
      assert.equal((await gateway().send({ path: PATH, certificate: leafOnly, serverName })).status, 200);
    });

    it(`does not accept its sibling under the same root: ${how}`, async () => {
      for (const chainPem of [
        sibling.chainPem,
        sibling.chainPem + pki.clusterRoot.pem,
        sibling.chainPem + pki.clusterIntermediate.pem,
      ]) {
        const certificate = { chainPem, keyPem: sibling.keyPem };
        const answer = await gateway().send({ path: PATH, certificate, serverName });
        assert.equal(answer.status, 495);
        assert.equal((gateway().logOf(answer)['certificate'] as { refused: string }).refused, 'untrusted');
      }
    });

    it(`is not led around by a root that the client sends along: ${how}`, async () => {
      const certificate = { chainPem: trusted.chainPem + pki.clusterRoot.pem, keyPem: trusted.keyPem };
      assert.equal((await gateway().send({ path: PATH, certificate, serverName })).status, 200);
    });
  }

  it('judges without SNI exactly as with it: expired is expired', async () => {
    const expired = await pki.cluster(OWN, {
      notBefore: new Date(Date.now() - 2 * 86_400_000),
      notAfter: new Date(Date.now() - 86_400_000),
    });
    for (const serverName of ['localhost', '']) {
      assert.equal((await gateway().send({ path: PATH, certificate: expired, serverName })).status, 495);
    }
  });
});
