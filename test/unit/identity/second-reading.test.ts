import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mintCa, mintClusterCertificate } from '../../../certs-dev/mint.ts';
import { type CertificateFacts, readCertificate } from '../../../src/core/identity/certificate.ts';
import { findDisagreement } from '../../../src/core/identity/second-reading.ts';

const facts = readCertificate((await mintClusterCertificate('a.example.com', await mintCa('root'))).der);
const other = readCertificate((await mintCa('other')).der);

test('both parsers read the same certificate', () => {
  assert.equal(findDisagreement(facts.der, facts), undefined);
});

const DIFFERENCES: readonly (readonly [what: string, change: Partial<CertificateFacts>])[] = [
  ['serial number', { serial: other.serial }],
  ['signed part', { tbsDer: other.tbsDer }],
  ['issuer', { issuer: other.issuer }],
  ['subject', { subject: other.subject }],
  ['notBefore', { notBefore: facts.notBefore + 1_000 }],
  ['notAfter', { notAfter: facts.notAfter + 1_000 }],
  ['public key', { spkiDer: other.spkiDer }],
  ['subjectAltName', { subjectAltNames: [] }],
  [
    'subjectAltName',
    {
      subjectAltNames: facts.subjectAltNames.map((name) => ({
        ...name,
        octets: Buffer.from('b.example.com'),
      })),
    },
  ],
  [
    'subjectAltName',
    { subjectAltNames: facts.subjectAltNames.map((name) => ({ ...name, type: 'rfc822Name' as const })) },
  ],
  ['basicConstraints', { basicConstraints: { ca: true, pathLen: undefined } }],
  ['basicConstraints', { basicConstraints: { ca: false, pathLen: 0 } }],
  ['extendedKeyUsage', { extendedKeyUsage: undefined }],
];

for (const [what, change] of DIFFERENCES) {
  test(`another reading of the ${what} is a disagreement: ${Object.keys(change)}`, () => {
    assert.equal(findDisagreement(facts.der, { ...facts, ...change }), what);
  });
}

test('what pkijs cannot read is a disagreement', () => {
  assert.match(
    findDisagreement(new Uint8Array([0x30, 0x03, 0x02, 0x01, 0x01]), facts) ?? '',
    /cannot be read/,
  );
});
