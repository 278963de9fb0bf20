import assert from 'node:assert/strict';
import { it } from 'node:test';
import { UTCTime } from 'asn1js';
import { fleetMint, fleetTemplate } from '../../../bench/mint-fleet.ts';
import { readCertificate, readFacts } from '../../../src/core/identity/certificate.ts';
import { createIssuerReader } from '../../../src/core/identity/certificate-memory.ts';
import { readPemCertificates } from '../../../src/core/identity/pem.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { createTestPki } from '../../support/pki.ts';

const pki = await createTestPki();
const mint = fleetMint(await fleetTemplate(pki.clusterIntermediate));
const certificate = (number: number): Uint8Array =>
  readPemCertificates(mint(number), 'test')[0] as Uint8Array;

it('says of the same octets the same facts, and of others their own, one octet apart', () => {
  const { read } = createIssuerReader();
  const [one, two] = [certificate(1), certificate(2)];
  assert.equal(read(one), read(new Uint8Array(one)));
  assert.deepEqual(read(one), readCertificate(one));
  assert.deepEqual(read(two), readCertificate(two));
  assert.notEqual(read(one).sha256, read(two).sha256);
  const broken = new Uint8Array(one);
  broken[1] = 0;
  assert.throws(() => read(broken));
  assert.throws(() => read(broken), 'a refusal is not remembered as anything else');
});

it('keeps what was asked for last, and no more than its bound', () => {
  const { read } = createIssuerReader();
  const zero = certificate(0);
  const first = read(zero);
  for (let number = 1; number < LIMITS.issuersReadMax; number++) read(certificate(number));
  assert.equal(read(zero), first);
  for (let number = LIMITS.issuersReadMax; number < 2 * LIMITS.issuersReadMax; number++)
    read(certificate(number));
  assert.notEqual(read(zero), first);
});

it('asks the second parser once of what was read here, and each time of anything else', (t) => {
  const readings = t.mock.method(UTCTime.prototype, 'toDate').mock;
  const { read, confirm } = createIssuerReader();
  const issuer = read(certificate(1));
  for (let n = 0; n < 3; n++) confirm(issuer);
  assert.equal(readings.callCount(), 2, 'both ends of one validity');
  const elsewhere = readFacts(certificate(1));
  for (let n = 0; n < 3; n++) confirm(elsewhere);
  assert.equal(readings.callCount(), 8);
  assert.throws(() => confirm({ ...issuer, serial: '05' }), /serial number/);
});
