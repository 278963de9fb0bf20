import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { test } from 'node:test';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { type Minted, mintCa, mintClusterCertificate } from '../../../certs-dev/mint.ts';
import { type CrlRequest, mintCrl } from '../../../certs-dev/mint-crl.ts';

const thisUpdate = new Date('2026-01-02T03:04:05Z');
const nextUpdate = new Date('2026-01-03T03:04:05Z');
const issuer = await mintCa('root');
const base = { issuer, thisUpdate, nextUpdate, revoked: [] } as const;

async function read(request: CrlRequest): Promise<pkijs.CertificateRevocationList> {
  return pkijs.CertificateRevocationList.fromBER((await mintCrl(request)).der);
}

function isSigned(crl: pkijs.CertificateRevocationList, by: Minted, hash: string | null): boolean {
  const key = { key: by.keys.publicKey, dsaEncoding: 'der' } as const;
  return verify(hash, crl.tbsView, key, crl.signatureValue.valueBlock.valueHexView);
}

test('names its issuer, its dates, its number, and is signed', async () => {
  const crl = await read({ ...base, number: 70_000 });
  assert.equal(crl.version, 1);
  assert.ok(crl.issuer.isEqual(pkijs.Certificate.fromBER(issuer.der).subject));
  assert.deepEqual([crl.thisUpdate.value, crl.nextUpdate?.value], [thisUpdate, nextUpdate]);
  const extensions = crl.crlExtensions?.extensions ?? [];
  assert.deepEqual(
    extensions.map(({ extnID }) => extnID),
    ['2.5.29.35', '2.5.29.20'],
  );
  assert.equal(
    Buffer.from(extensions[1]?.extnValue.valueBlock.valueHexView ?? []).toString('hex'),
    '0203011170',
  );
  assert.ok(isSigned(crl, issuer, 'sha256'));
  assert.ok(!isSigned(crl, await mintCa('other'), 'sha256'));
});

test('lists serials as they stand in the certificates, with date and reason', async () => {
  const leaf = await mintClusterCertificate('a.example', issuer);
  const other = await mintClusterCertificate('b.example', issuer);
  const date = new Date('2025-12-31T00:00:00Z');
  const crl = await read({
    ...base,
    revoked: [
      { serial: leaf.serial, date, reason: 1 },
      { serial: Uint8Array.of(5), date },
    ],
  });
  assert.ok(crl.isCertificateRevoked(pkijs.Certificate.fromBER(leaf.der)));
  assert.ok(!crl.isCertificateRevoked(pkijs.Certificate.fromBER(other.der)));
  const [first, second] = crl.revokedCertificates ?? [];
  assert.deepEqual(first?.revocationDate.value, date);
  const [reason] = first?.crlEntryExtensions?.extensions ?? [];
  assert.equal(reason?.extnID, '2.5.29.21');
  assert.equal(Buffer.from(reason?.extnValue.valueBlock.valueHexView ?? []).toString('hex'), '0a0101');
  assert.equal(second?.crlEntryExtensions, undefined);
});

test('an empty list and an absent nextUpdate are absent, an extension is written', async () => {
  const value = Uint8Array.of(0x05, 0x00);
  const crl = await read({
    ...base,
    nextUpdate: null,
    extensions: [{ oid: '1.2.3.4', critical: true, value }],
  });
  const { result } = asn1js.fromBER(crl.tbsView);
  const fields = result instanceof asn1js.Sequence ? result.valueBlock.value.length : 0;
  assert.equal(fields, 5, 'version, signature, issuer, thisUpdate, extensions');
  const last = crl.crlExtensions?.extensions.at(-1);
  assert.deepEqual([last?.extnID, last?.critical], ['1.2.3.4', true]);
});

test('Ed25519 issuers sign too', async () => {
  const ed25519 = await mintCa('ed25519', { key: 'Ed25519' });
  assert.ok(isSigned(await read({ ...base, issuer: ed25519 }), ed25519, null));
});
