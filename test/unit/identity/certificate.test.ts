import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { type Minted, mint } from '../../../certs-dev/mint.ts';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import { CertificateRefused } from '../../../src/core/identity/refused.ts';
import { ca, DAY, leaf, NOW } from './pki.ts';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** Octets for octets of the same length: what a hostile encoder would have written. */
function patched(der: Uint8Array, from: string | Uint8Array, to: string | Uint8Array): Uint8Array {
  const copy = Buffer.from(der);
  const at = copy.indexOf(from);
  assert.ok(at > 0, 'the octets to patch are there');
  assert.equal(to.length, from.length);
  copy.set(Buffer.from(to), at);
  return new Uint8Array(copy);
}

function refusal(der: Uint8Array): CertificateRefused {
  try {
    readCertificate(der);
  } catch (error) {
    assert.ok(error instanceof CertificateRefused, String(error));
    return error;
  }
  assert.fail('read, where a refusal was expected');
}

const malformed = (der: Uint8Array, reason: RegExp): void => {
  const { rule, message } = refusal(der);
  assert.equal(rule, 'malformed', message);
  assert.match(message, reason);
};

let root: Minted;
let good: Minted;
before(async () => {
  root = await ca('root');
  good = await leaf(root, { subject: { CN: 'one', O: ['admins', 'ops'] } });
});

describe('the facts of a certificate', () => {
  it('are those that OpenSSL reads', async () => {
    for (const key of ['P-256', 'P-384', 'P-521', 'Ed25519', 'RSA-2048'] as const) {
      const minted = await leaf(root, { key });
      const facts = readCertificate(minted.der);
      const other = new X509Certificate(minted.der);
      assert.equal(facts.sha256, other.fingerprint256.replaceAll(':', '').toLowerCase());
      assert.equal(facts.serial, other.serialNumber.toLowerCase());
      assert.equal(facts.notBefore, other.validFromDate.getTime());
      assert.equal(facts.notAfter, other.validToDate.getTime());
      assert.equal(facts.publicKey.kind, { P: 'ec', E: 'ed25519', R: 'rsa' }[key[0] ?? '']);
    }
  });

  it('hold names as octets, groups in order, and nothing that can be changed', () => {
    const facts = readCertificate(good.der);
    assert.deepEqual(facts.subject.organizations, ['admins', 'ops']);
    assert.equal(facts.subject.readable, 'O=admins, O=ops, CN=one');
    assert.equal(facts.issuer.canonical, readCertificate(root.der).subject.canonical);
    assert.equal(Buffer.from(facts.subjectAltNames[0]?.octets ?? []).toString(), 'one.k8s.example.com');
    assert.ok(
      Object.isFrozen(facts) && Object.isFrozen(facts.subject) && Object.isFrozen(facts.subjectAltNames),
    );
  });

  it('outlive a change of the octets that they were read from', () => {
    const input = Buffer.from(good.der);
    const facts = readCertificate(input);
    input.fill(0);
    assert.equal(readCertificate(facts.der).sha256, facts.sha256);
  });

  it('read Go-style groups in one relative name', async () => {
    const minted = await leaf(root, { subject: { O: ['a', 'b'], organizationsInOneRdn: true } });
    assert.deepEqual(readCertificate(minted.der).subject.organizations, ['a', 'b']);
  });

  it('know dates on both sides of 2050', async () => {
    const minted = await leaf(root, { notAfter: new Date('9999-12-31T23:59:59Z') });
    assert.equal(readCertificate(minted.der).notAfter, Date.UTC(9999, 11, 31, 23, 59, 59));
  });

  it('treat names as one that differ in case, spaces and string type (RFC 5280 §7.1)', async () => {
    const a = readCertificate((await ca('Fleet  Root ')).der).subject;
    const b = readCertificate((await ca('fleet root')).der).subject;
    assert.equal(a.canonical, b.canonical);
    const printable = patched((await ca('fleet root')).der, '\x0c\x0afleet root', '\x13\x0afleet root');
    assert.equal(readCertificate(printable).issuer.canonical, b.canonical);
    assert.notEqual(readCertificate((await ca('fleetroot')).der).subject.canonical, b.canonical);
  });
});

describe('names of which OpenSSL cannot read one, so that it sees none', () => {
  const DNS = '820d 612e 6578616d706c652e636f6d';
  const OTHER = '06032a0304';
  const withName = (name: string): Promise<Minted> => {
    const names = Buffer.concat([bytes(DNS), bytes(name)]);
    const value = Buffer.concat([Uint8Array.of(0x30, names.length), names]);
    return leaf(root, { subjectAltNames: null, extensions: [{ oid: '2.5.29.17', critical: false, value }] });
  };
  const NAMES: readonly (readonly [what: string, good: string, bad: string])[] = [
    ['an otherName without a value', `a00b ${OTHER} a0040c026869`, `a007 ${OTHER} a000`],
    ['an otherName of two values', `a00b ${OTHER} a0040c026869`, `a00d ${OTHER} a0060c0268690500`],
    ['an otherName with the end of a value', `a00b ${OTHER} a0040c026869`, `a00a ${OTHER} a0030c0268`],
    ['a registeredID that ends inside an arc', '88022a03', '88022a83'],
    ['a registeredID with a padded arc', '88032a8103', '88032a8003'],
    ['an ediPartyName without a party', 'a506 a1040c026869', 'a506 a0040c026869'],
    ['an ediPartyName whose party is no text', 'a506 a1040c026869', 'a506 a10402026869'],
    [
      'a directoryName whose value is no text',
      'a410 300e310c300a 0603550403 0c036f6e65',
      'a410 300e310c300a 0603550403 04036f6e65',
    ],
  ];
  for (const [what, fine, bad] of NAMES) {
    it(`are refused: ${what}`, async () => {
      const read = await withName(fine);
      assert.ok(new X509Certificate(read.der).subjectAltName?.startsWith('DNS:a.example.com'));
      assert.equal(readCertificate(read.der).subjectAltNames.length, 2);
      const spoiled = await withName(bad);
      assert.equal(new X509Certificate(spoiled.der).subjectAltName, undefined);
      malformed(spoiled.der, /OpenSSL cannot read|octets|longer/);
    });
  }
});

describe('octets that are no certificate', () => {
  it('are refused empty, short, and cut off anywhere', () => {
    for (const length of [0, 1, 2, 3, 4, 20, 100, good.der.length - 1]) {
      malformed(good.der.subarray(0, length), /./);
    }
  });

  it('are refused with trailing octets', () => {
    malformed(Buffer.concat([good.der, Buffer.of(0)]), /1 trailing octets/);
  });

  it('are refused when they are one octet too many for any chain', () => {
    assert.equal(refusal(new Uint8Array(65_537)).rule, 'too_large');
  });

  it('are refused with an indefinite or padded length', () => {
    malformed(Buffer.concat([bytes('30 80'), good.der.subarray(4), bytes('0000')]), /indefinite/);
    const body = good.der.subarray(4);
    const padded = Buffer.concat([bytes('30 83 00'), good.der.subarray(2, 4), body]);
    malformed(padded, /not minimal/);
  });

  it('are refused in version 1 and 2', async () => {
    for (const version of [1, 2] as const) {
      malformed((await leaf(root, { version })).der, /not of version 3/);
    }
  });

  it('are refused when the two signature algorithms differ', () => {
    const copy = Buffer.from(good.der);
    const oid = bytes('2a8648ce3d040302');
    copy[copy.lastIndexOf(oid) + oid.length - 1] = 3;
    malformed(copy, /algorithms inside and outside/);
  });

  for (const [what, serial, reason] of [
    ['negative', 'ff01', /a negative serial/],
    ['zero', '00', /number zero/],
    ['21 octets long', `01${'00'.repeat(20)}`, /21 octets/],
    ['padded', '0001', /needless/],
  ] as const) {
    it(`are refused with a serial number that is ${what}`, async () => {
      // In two steps, since no library writes all of them: a lawful one of the same length, then the octets.
      const lawful = await leaf(root, { serial: bytes(`01${'ab'.repeat(serial.length / 2 - 1)}`) });
      const header = Uint8Array.of(2, lawful.serial.length);
      const from = Buffer.concat([header, lawful.serial]);
      malformed(patched(lawful.der, from, Buffer.concat([header, bytes(serial)])), reason);
    });
  }

  it('may have a serial of 20 octets', async () => {
    const minted = await leaf(root, { serial: bytes('7f'.repeat(20)) });
    assert.equal(readCertificate(minted.der).serial, '7f'.repeat(20));
  });

  it('are refused with the same extension twice', async () => {
    const again = { oid: '2.5.29.17', critical: false, value: bytes('3003 8201 61') };
    malformed((await leaf(root, { extensions: [again] })).der, /2\.5\.29\.17 twice/);
    const unknown = { oid: '1.2.3.4', critical: false, value: bytes('0500') };
    malformed((await leaf(root, { extensions: [unknown, unknown] })).der, /1\.2\.3\.4 twice/);
  });

  for (const [what, oid, value, reason] of [
    ['an empty subjectAltName', '2.5.29.17', '3000', /subjectAltName is empty/],
    ['a SAN with trailing octets', '2.5.29.17', '3003820161 00', /trailing/],
    ['a SAN of an unknown type', '2.5.29.17', '3003 8901 61', /unknown type/],
    ['a constructed dNSName', '2.5.29.17', '3003 a201 61', /no dNSName/],
    ['an empty extendedKeyUsage', '2.5.29.37', '3000', /extendedKeyUsage is empty/],
    ['nameConstraints of nothing', '2.5.29.30', '3000', /constrain nothing/],
    ['a name constraint with a minimum', '2.5.29.30', '300aa008 3006 8201 61 8001 01', /minimum/],
    ['a name constraint with a maximum', '2.5.29.30', '300aa008 3006 8201 61 8101 01', /unexpected field/],
    ['a pathLen without cA', '2.5.29.19', '3003 020100', /without cA/],
    ['a negative pathLen', '2.5.29.19', '3006 0101ff 0201ff', /negative/],
    ['a BER boolean', '2.5.29.19', '3003 010101', /DER boolean/],
    ['a keyUsage with stray bits', '2.5.29.15', '03020781', /unused bits/],
    ['a policy twice', '2.5.29.32', '300a 3003060129 3003060129', /twice/],
    ['an empty policyConstraints', '2.5.29.36', '3000', /empty policyConstraints/],
  ] as const) {
    it(`are refused with ${what}`, async () => {
      const minted = await leaf(root, {
        basicConstraints: null,
        keyUsage: null,
        extendedKeyUsage: null,
        subjectAltNames: null,
        extensions: [{ oid, critical: false, value: bytes(value) }],
      });
      malformed(minted.der, reason);
    });
  }

  for (const [what, from, to, reason] of [
    ['a month 13', '300114120000Z', '301314120000Z', /no calendar/],
    ['a 30th of February', '300114120000Z', '300230120000Z', /no calendar/],
    ['an hour 24', '300114120000Z', '300114240000Z', /no calendar/],
    ['a second 60', '300114120000Z', '300114120060Z', /no calendar/],
    ['a zone', '300114120000Z', '3001141200+01', /no DER time/],
    ['an end before the beginning', '300214120000Z', '290214120000Z', /ends before/],
  ] as const) {
    it(`are refused with ${what} in the validity`, () => malformed(patched(good.der, from, to), reason));
  }

  it('are refused with an empty issuer', async () => {
    malformed((await mint({ subject: {}, basicConstraints: { ca: true } })).der, /empty issuer/);
  });

  it('are refused with invalid UTF-8 in a name', () => {
    malformed(patched(good.der, '\x0c\x06admins', Buffer.from('\x0c\x06a\xff\xfeins', 'latin1')), /UTF-8/);
  });

  it('are too large with more than 100 names, or 100 name constraints', async () => {
    const many = Array.from({ length: 101 }, (_, i) => ({ type: 'dns', value: `c${i}.example` }) as const);
    assert.equal(refusal((await leaf(root, { subjectAltNames: many })).der).rule, 'too_large');
    readCertificate((await leaf(root, { subjectAltNames: many.slice(1) })).der);
    assert.equal(refusal((await ca('x', { nameConstraints: { permitted: many } })).der).rule, 'too_large');
  });

  it('are told apart from certificates that only lie outside of their time', async () => {
    const expired = await leaf(root, { notBefore: new Date(NOW - 9 * DAY), notAfter: new Date(NOW - DAY) });
    assert.equal(readCertificate(expired.der).notAfter, NOW - DAY);
  });
});
