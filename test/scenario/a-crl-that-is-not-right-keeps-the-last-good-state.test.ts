import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, test } from 'node:test';
import { mintCa } from '../../certs-dev/mint.ts';
import { StartupError } from '../../src/core/errors.ts';
import { type CrlGateway, crlOf, startCrlGateway } from '../support/crls.ts';
import { createTestPki } from '../support/pki.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const path = `/api/v2/flux/clusters/${DNS}/namespaces`;
const HOUR = 3_600_000;

describe('on a reload the last good CRL stays in force, and one line says why:', async () => {
  const pki = await createTestPki();
  const revoked = await pki.cluster(DNS);
  const leaf = await pki.cluster(DNS);
  const ca = pki.clusterIntermediate;
  const good = await crlOf(ca, [revoked]);
  const newer = { thisUpdate: new Date(), number: 2 };
  const corpus = (name: string) => readFileSync(new URL(`../corpus/crl/${name}.pem`, import.meta.url));

  const refused: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    [
      'truncated PEM',
      good.slice(0, good.length - 40),
      /issuing\.crl: block 1 has no END line: the file is truncated/,
    ],
    [
      'truncated DER',
      Buffer.from(good.split('-----')[2] ?? '', 'base64').subarray(0, 200),
      /longer than what holds it/,
    ],
    ['empty', '', /issuing\.crl: the file is empty/],
    ['no CRL at all', 'hello\n', /neither DER nor PEM/],
    ['a certificate', pki.clusterRoot.pem, /where only X509 CRL blocks belong/],
    [
      'of an issuer nobody knows',
      await crlOf(await mintCa('nobody')),
      /its issuer "CN=nobody" is in neither bundle/,
    ],
    [
      'of an issuer with that name and another key',
      await crlOf(await mintCa('test cluster intermediate')),
      /not signed by the key/,
    ],
    ['a delta CRL', corpus('delta'), /a delta CRL .* is not supported/],
    ['an indirect CRL', corpus('indirect'), /an indirect CRL .* is not supported/],
    [
      'an unknown critical extension',
      corpus('unknown-critical-extension'),
      /the critical extension 1\.2\.3\.4/,
    ],
    [
      'a CRL that never says when it goes stale',
      await crlOf(ca, [], { ...newer, nextUpdate: null }),
      /without nextUpdate/,
    ],
    ['a SHA-1 signature', await crlOf(ca, [], { ...newer, signatureHash: 'SHA-1' }), /SHA-1/],
  ];
  const ignored: readonly (readonly [string, string])[] = [
    ['from the future', await crlOf(ca, [], { thisUpdate: new Date(Date.now() + HOUR), number: 2 })],
    [
      'older, and stale',
      await crlOf(ca, [], {
        thisUpdate: new Date(Date.now() - 9 * HOUR),
        nextUpdate: new Date(Date.now() - HOUR),
      }),
    ],
  ];

  const standsFirm = async (gateway: CrlGateway): Promise<void> => {
    assert.equal((await gateway.send({ path, certificate: revoked })).status, 495);
    assert.equal((await gateway.send({ path, certificate: leaf })).status, 200);
    assert.equal((await gateway.send({ path: '/ready' })).status, 200);
  };

  for (const [name, content, reason] of refused) {
    it(name, async (t) => {
      const gateway = await startCrlGateway(t, { 'issuing.crl': good }, { pki });
      await gateway.put('issuing.crl', content);
      assert.equal(await gateway.gateway.reload('SIGHUP'), false);
      const lines = gateway.log.filter(({ msg }) => msg.startsWith('reload refused'));
      assert.match(String(lines.at(-1)?.['reason']), /^CRL_DIR: issuing\.crl: /);
      assert.match(String(lines.at(-1)?.['reason']), reason);
      await standsFirm(gateway);
    });
  }

  for (const [name, content] of ignored) {
    it(name, async (t) => {
      const gateway = await startCrlGateway(t, { 'issuing.crl': good }, { pki });
      await gateway.put('issuing.crl', content);
      assert.equal(await gateway.gateway.reload('SIGHUP'), true);
      await standsFirm(gateway);
      assert.ok(
        gateway.log.some(
          ({ level, msg }) => level === 'warn' && /from the future|only an older one/.test(msg),
        ),
      );
    });
  }

  it('gone', async (t) => {
    const gateway = await startCrlGateway(t, { 'issuing.crl': good }, { pki });
    await gateway.put('issuing.crl', undefined);
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    await standsFirm(gateway);
    assert.ok(gateway.log.some(({ level, msg }) => level === 'warn' && /in CRL_DIR no more/.test(msg)));
  });
});

test('at start it is a refusal that names the file and the reason', async (t) => {
  const files = { 'good.crl': 'not a CRL' };
  await assert.rejects(
    startCrlGateway(t, files),
    (error) =>
      error instanceof StartupError && /^CRL_DIR: good\.crl: neither DER nor PEM/.test(error.message),
  );
  await assert.rejects(
    startCrlGateway(t, {}, { environment: { CRL_DIR: '/nowhere' } }),
    (error) =>
      error instanceof StartupError && /^CRL_DIR: \/nowhere cannot be listed \(ENOENT\)/.test(error.message),
  );
});
