import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mintCa, mintClusterCertificate, mintServerCertificate } from '../../../certs-dev/mint.ts';
import { type CertificateFacts, readCertificate } from '../../../src/core/identity/certificate.ts';
import { findDisagreement } from '../../../src/core/identity/second-reading.ts';

const root = await mintCa('root');
const facts = readCertificate((await mintClusterCertificate('a.example.com', root)).der);
const other = readCertificate((await mintCa('other')).der);

/** [0] { INTEGER 2 } */
const VERSION = Uint8Array.of(0xa0, 0x03, 0x02, 0x01, 0x02);

/** More octets than asn1js makes a number of. */
const LONG_NUMBER = [...Array.from({ length: 9 }, () => 0xff), 0x7f];

function withOctets(der: Uint8Array, at: number, ...octets: readonly number[]): Uint8Array {
  const changed = new Uint8Array(der);
  changed.set(octets, at);
  return changed;
}

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

test('a part that was read before says of another certificate what that one has', async () => {
  const client = facts;
  const server = readCertificate((await mintServerCertificate(['a.example.com'], root)).der);
  assert.notDeepEqual(server.extendedKeyUsage, client.extendedKeyUsage);
  for (const [one, others] of [
    [client, server],
    [server, client],
    [client, server],
  ] as const) {
    assert.equal(findDisagreement(one.der, one), undefined);
    const { extendedKeyUsage } = others;
    assert.equal(findDisagreement(one.der, { ...one, extendedKeyUsage }), 'extendedKeyUsage');
  }
});

test('a part that cannot be read is refused each time, though everything else was read before', () => {
  assert.equal(findDisagreement(facts.der, facts), undefined);
  const spoiled = new Uint8Array(facts.der);
  const issuerAt = Buffer.from(spoiled).indexOf(facts.issuer.der);
  // SEQUENCE, SET, SEQUENCE, OID: the length of what is innermost.
  const innermost = issuerAt + 7;
  spoiled[innermost] = 0x7f;
  for (let time = 1; time <= 3; time++)
    assert.match(findDisagreement(spoiled, facts) ?? '', /cannot be read/);
});

const UNREADABLE: readonly (readonly [what: string, why: RegExp, change: (der: Uint8Array) => Uint8Array])[] =
  [
    ['octets behind it', /octets behind/, (der) => Buffer.concat([der, Uint8Array.of(0)])],
    ['no end', /without an end/, (der) => der.subarray(0, der.length - 1)],
    ['an indefinite length', /a length that/, (der) => withOctets(der, 1, 0x80)],
    ['a long identifier', /an identifier that/, (der) => withOctets(der, 0, 0xbf, ...LONG_NUMBER)],
    [
      'another version',
      /another version/,
      (der) => withOctets(der, Buffer.from(der).indexOf(VERSION) + 4, 1),
    ],
  ];

for (const [what, why, change] of UNREADABLE) {
  test(`${what} is a disagreement`, () => {
    assert.equal(findDisagreement(facts.der, facts), undefined);
    assert.match(findDisagreement(change(facts.der), facts) ?? '', why);
  });
}

test('what asn1js cannot read is a disagreement', () => {
  assert.match(
    findDisagreement(new Uint8Array([0x30, 0x03, 0x02, 0x01, 0x01]), facts) ?? '',
    /cannot be read/,
  );
});
