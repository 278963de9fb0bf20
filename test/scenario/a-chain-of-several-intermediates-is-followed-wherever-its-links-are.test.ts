import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Minted, mintIntermediate } from '../../certs-dev/mint.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';

const OWN = 'demo-cluster-01.k8s.example.com';
const PATH = `/api/v2/flux/clusters/${OWN}/rolebindings`;
const ANY_DEPTH = { basicConstraints: { ca: true } };

describe('root → policy CA → regional CA → issuing CA → leaf', async () => {
  const pki = await createTestPki();
  const policy = await mintIntermediate('policy CA', pki.clusterRoot, ANY_DEPTH);
  const regional = await mintIntermediate('regional CA', policy, ANY_DEPTH);
  const issuing = await mintIntermediate('issuing CA', regional);
  const leaf = await pki.cluster(OWN, { issuer: issuing });

  const gatewayTrusting = async (t: TestContext, ...bundle: Minted[]): Promise<TestGateway> => {
    const write = async (directory: string) => {
      const written = await pki.write(directory);
      const path = join(directory, 'bundle.crt');
      await writeFile(path, bundle.map(({ pem }) => pem).join(''));
      return { ...written, environment: { ...written.environment, CLUSTER_CA_FILE: path } };
    };
    return startTestGateway(t, { pki: { ...pki, write } });
  };
  const statusOf = async (gateway: TestGateway, ...chain: Minted[]): Promise<number> => {
    const chainPem = chain.map(({ pem }) => pem).join('');
    return (await gateway.send({ path: PATH, certificate: { chainPem, keyPem: leaf.keyPem } })).status;
  };

  it('is followed through what the client sends', async (t) => {
    const gateway = await gatewayTrusting(t, pki.clusterRoot);
    assert.equal(await statusOf(gateway, leaf, issuing, regional, policy), 200);
    assert.equal(await statusOf(gateway, leaf, issuing, regional, policy, pki.clusterRoot), 200);
  });

  it('is followed through what only the bundle holds', async (t) => {
    const gateway = await gatewayTrusting(t, issuing, regional, policy, pki.clusterRoot);
    assert.equal(await statusOf(gateway, leaf), 200);
    assert.equal(await statusOf(gateway, leaf, issuing, regional, policy), 200);
  });

  it('is followed through some of each', async (t) => {
    const gateway = await gatewayTrusting(t, pki.clusterRoot, regional, policy);
    assert.equal(await statusOf(gateway, leaf, issuing), 200);
  });

  it('is refused when a link is in neither', async (t) => {
    const gateway = await gatewayTrusting(t, pki.clusterRoot, policy);
    assert.equal(await statusOf(gateway, leaf, issuing), 495);
    assert.equal(await statusOf(gateway, leaf), 495);
    assert.equal(await statusOf(gateway, leaf, issuing, regional), 200, 'with the link it is accepted');
  });

  it('is followed to an anchor in the middle', async (t) => {
    const gateway = await gatewayTrusting(t, regional);
    assert.equal(await statusOf(gateway, leaf, issuing), 200);
    assert.equal(await statusOf(gateway, leaf, issuing, regional, policy, pki.clusterRoot), 200);
    assert.equal(await statusOf(gateway, leaf), 495);
  });
});
