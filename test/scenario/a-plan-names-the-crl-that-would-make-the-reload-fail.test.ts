import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { mintCa } from '../../certs-dev/mint.ts';
import { crlOf, startCrlGateway } from '../support/crls.ts';
import { createTestPki } from '../support/pki.ts';
import { planTrust, readTrust, sha256Of } from '../support/trust.ts';

it('a plan names the CRL that would make the reload fail', async (t) => {
  const pki = await createTestPki();
  const gateway = await startCrlGateway(t, { 'old.crl': await crlOf(pki.clusterIntermediate) }, { pki });
  const newRoot = await mintCa('new cluster root');
  const [crl] = (await readTrust(gateway)).crls;
  assert.deepEqual(
    [crl?.source, crl?.issuer_sha256, crl?.status],
    ['old.crl', sha256Of(pki.clusterIntermediate), 'fresh'],
  );

  const about = (warnings: readonly string[]): readonly string[] =>
    warnings.filter((warning) => warning.startsWith('CRL_DIR: old.crl'));
  const kept = await planTrust(gateway, { cluster_ca_pem: pki.clusterBundlePem + newRoot.pem });
  assert.deepEqual(about(kept.warnings), []);
  const gone = await planTrust(gateway, { cluster_ca_pem: newRoot.pem });
  assert.equal(about(gone.warnings).length, 1);

  await writeFile(join(gateway.directory, 'cluster-ca.crt'), newRoot.pem);
  assert.equal(await gateway.gateway.reload('SIGHUP'), false, 'as the plan said');
  await gateway.put('old.crl', undefined);
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
});
