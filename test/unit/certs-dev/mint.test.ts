/** Every option of mint() is read back by two readers that did not write it: Node's (OpenSSL) and our own. */
import assert from 'node:assert/strict';
import { hash, X509Certificate } from 'node:crypto';
import { suite, test } from 'node:test';
import * as pkijs from 'pkijs';
import {
  chainPem,
  type Minted,
  type MintRequest,
  mint,
  mintCa,
  mintClusterCertificate,
  mintIntermediate,
  mintOperatorCertificate,
  mintServerCertificate,
} from '../../../certs-dev/mint.ts';
import { KEY_KINDS, type KeyKind } from '../../../certs-dev/mint-keys.ts';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import { OID } from '../../../src/core/identity/oids.ts';

const x509 = (minted: Minted): X509Certificate => new X509Certificate(minted.der);
const facts = (minted: Minted) => readCertificate(minted.der);
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

function extensionOf(minted: Minted, oid: string): pkijs.Extension | undefined {
  return pkijs.Certificate.fromBER(minted.der).extensions?.find(({ extnID }) => extnID === oid);
}

const root = await mintCa('root');
const some = (options: Partial<MintRequest>): Promise<Minted> =>
  mint({ subject: { CN: 'some' }, issuer: root, ...options });

suite('subject, dates, serial, version', () => {
  test('CN and each O in an RDN of its own, as UTF8String', async () => {
    const minted = await some({ subject: { CN: 'Zoë', O: ['b', 'a'] } });
    assert.equal(x509(minted).subject, 'O=b\nO=a\nCN=Zoë');
    const utf8String = pkijs.Certificate.fromBER(minted.der).subject.typesAndValues[0]?.value;
    assert.equal(utf8String?.constructor.name, 'Utf8String');
  });

  test('all O values in one RDN, as Go writes them', async () => {
    const minted = await some({ subject: { O: ['bb', 'a'], organizationsInOneRdn: true } });
    assert.match(x509(minted).subject, /^O=a\+O=bb$|^O=a \+ O=bb$/);
    assert.deepEqual([...facts(minted).subject.canonicalRdns].length, 1);
  });

  test('an empty subject makes subjectAltName critical', async () => {
    const options = { subjectAltNames: [{ type: 'dns', value: 'a.example' }] } as const;
    assert.equal(extensionOf(await some({ subject: {}, ...options }), OID.subjectAltName)?.critical, true);
    assert.equal(extensionOf(await some(options), OID.subjectAltName)?.critical, false);
  });

  test('dates, on both sides of 2050', async () => {
    const notBefore = new Date('2049-12-31T23:59:59.999Z');
    const notAfter = new Date('2051-02-03T04:05:06.789Z');
    const minted = await some({ notBefore, notAfter });
    assert.equal(x509(minted).validFromDate.toISOString(), '2049-12-31T23:59:59.000Z');
    assert.equal(x509(minted).validToDate.toISOString(), '2051-02-03T04:05:06.000Z');
    assert.equal(minted.notAfter.toISOString(), '2051-02-03T04:05:06.000Z');
    assert.ok(text(minted.der).includes('491231235959Z'), 'UTCTime through 2049');
    assert.ok(text(minted.der).includes('20510203040506Z'), 'GeneralizedTime from 2050');
  });

  test('the default is 90 days from five minutes ago', async () => {
    const { validFromDate, validToDate } = x509(await some({}));
    assert.ok(Math.abs(Date.now() - 300_000 - validFromDate.getTime()) < 5_000);
    assert.equal(validToDate.getTime() - validFromDate.getTime(), 90 * 86_400_000);
  });

  test('the serial is written as given, and else random and positive', async () => {
    const given = await some({ serial: Uint8Array.of(0x00, 0x80, 0x01) });
    assert.equal(x509(given).serialNumber, '8001');
    const negative = await some({ serial: Uint8Array.of(0x80) });
    assert.ok(hex(negative.der).includes('a003020102' + '020180'), 'a negative one too');
    const [a, b] = [await some({}), await some({})];
    assert.notEqual(x509(a).serialNumber, x509(b).serialNumber);
    assert.equal(x509(a).serialNumber.toLowerCase(), hex(a.serial));
    assert.equal(facts(a).serial.length, 32);
  });

  test('version 1 is version 1', async () => {
    const minted = await some({ version: 1, subjectKeyId: null, authorityKeyId: null });
    const parsed = pkijs.Certificate.fromBER(minted.der);
    assert.deepEqual([parsed.version, parsed.extensions], [0, undefined]);
    assert.throws(() => facts(minted), /not of version 3/);
  });
});

suite('keys and signatures', () => {
  const authorities = new Map<KeyKind, Minted>();
  for (const kind of KEY_KINDS) {
    // RSA-4096 takes up to seconds to generate and shows nothing that 3072 does not.
    if (kind === 'RSA-4096') continue;
    test(`${kind} signs, and is what was asked for`, async () => {
      const ca = await mintCa(`ca ${kind}`, { key: kind });
      authorities.set(kind, ca);
      const child = await mintClusterCertificate('a.example', ca);
      assert.ok(x509(ca).verify(ca.keys.publicKey), 'self-signed');
      assert.ok(x509(child).verify(x509(ca).publicKey) && x509(child).checkIssued(x509(ca)));
      assert.ok(x509(ca).checkPrivateKey(ca.keys.privateKey));
      const { asymmetricKeyType, asymmetricKeyDetails } = x509(ca).publicKey;
      const found =
        asymmetricKeyType === 'rsa'
          ? `RSA-${asymmetricKeyDetails?.modulusLength}`
          : (asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType);
      const expected = {
        'P-256': 'prime256v1',
        'P-384': 'secp384r1',
        'P-521': 'secp521r1',
        Ed25519: 'ed25519',
      };
      assert.equal(found, expected[kind as keyof typeof expected] ?? kind);
    });
  }

  for (const signatureHash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'] as const) {
    test(`${signatureHash} with ECDSA, PKCS #1 and PSS`, async () => {
      const rsa = authorities.get('RSA-2048');
      assert.ok(rsa);
      const bits = signatureHash.replace('SHA-', '');
      const ecdsa = await some({ signatureHash });
      const pkcs1 = await some({ issuer: rsa, signatureHash });
      const pss = await some({ issuer: rsa, signatureHash, pss: true });
      assert.equal(x509(ecdsa).signatureAlgorithm, `ecdsa-with-SHA${bits}`);
      assert.equal(x509(pkcs1).signatureAlgorithm, `sha${bits}WithRSAEncryption`);
      assert.equal(x509(pss).signatureAlgorithm, 'rsassaPss');
      assert.ok(x509(ecdsa).verify(root.keys.publicKey));
      for (const minted of [pkcs1, pss]) assert.ok(x509(minted).verify(rsa.keys.publicKey));
    });
  }

  test('what cannot be is refused', async () => {
    const ed25519 = authorities.get('Ed25519');
    assert.ok(ed25519);
    await assert.rejects(some({ pss: true }), /pss needs an RSA issuer/);
    await assert.rejects(some({ issuer: ed25519, signatureHash: 'SHA-256' }), /no signatureHash to choose/);
    await assert.rejects(some({ keyUsage: ['digitalSignatures'] }), /unknown keyUsage/);
    await assert.rejects(some({ extendedKeyUsage: ['clientauth'] }), /unknown extendedKeyUsage/);
    await assert.rejects(some({ notAfter: new Date(Number.NaN) }), /not a date/);
  });

  test('reuseKeyOf gives the same key, and cross-signing works', async () => {
    const other = await mintCa('other');
    const bridge = await mintIntermediate('bridge', root);
    const crossed = await mintIntermediate('bridge', other, { reuseKeyOf: bridge });
    assert.equal(crossed.keyPem, bridge.keyPem);
    const leaf = await mintClusterCertificate('a.example', bridge);
    for (const issuer of [bridge, crossed]) assert.ok(x509(leaf).checkIssued(x509(issuer)));
    assert.ok(x509(crossed).verify(other.keys.publicKey));
  });
});

suite('extensions', () => {
  test('basicConstraints: cA, pathLen, critical or not', async () => {
    const open = await some({ basicConstraints: { ca: true, pathLen: 3, critical: false } });
    assert.deepEqual(facts(open).basicConstraints, { ca: true, pathLen: 3 });
    assert.equal(extensionOf(open, OID.basicConstraints)?.critical, false);
    assert.ok(x509(open).ca);
    const closed = await some({ basicConstraints: { ca: false } });
    assert.deepEqual(facts(closed).basicConstraints, { ca: false, pathLen: undefined });
    assert.equal(extensionOf(closed, OID.basicConstraints)?.critical, true);
    assert.equal(facts(await some({ basicConstraints: null })).basicConstraints, undefined);
  });

  test('keyUsage: every bit alone, and none', async () => {
    const bits = [
      'digitalSignature',
      'nonRepudiation',
      'keyEncipherment',
      'dataEncipherment',
      'keyAgreement',
    ];
    for (const usage of [...bits, 'keyCertSign', 'cRLSign', 'encipherOnly', 'decipherOnly']) {
      assert.deepEqual([...(facts(await some({ keyUsage: [usage] })).keyUsage ?? [])], [usage]);
    }
    assert.equal(facts(await some({ keyUsage: null })).keyUsage, undefined);
  });

  test('extendedKeyUsage by name and by OID', async () => {
    const minted = await some({ extendedKeyUsage: ['clientAuth', 'serverAuth', 'any', '1.2.3.4'] });
    const oids = ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1', '2.5.29.37.0', '1.2.3.4'];
    assert.deepEqual(x509(minted).keyUsage, oids);
    assert.equal(facts(await some({ extendedKeyUsage: null })).extendedKeyUsage, undefined);
  });

  test('subjectAltNames of every type, raw octets included', async () => {
    const minted = await some({
      subjectAltNames: [
        { type: 'dns', value: 'a.example' },
        { type: 'dns', value: Uint8Array.from(Buffer.from('a\0b\u00e9', 'latin1')) },
        { type: 'email', value: 'e@a.example' },
        { type: 'uri', value: 'spiffe://a.example/x' },
        { type: 'ip', value: '192.0.2.1' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'dirname', value: 'someone' },
        { type: 'other', value: 'upn@a.example' },
      ],
    });
    const read = facts(minted).subjectAltNames.map(({ type, octets }) => [type, text(octets)]);
    assert.deepEqual(read.slice(0, 4), [
      ['dNSName', 'a.example'],
      ['dNSName', 'a\0b\u00e9'],
      ['rfc822Name', 'e@a.example'],
      ['uniformResourceIdentifier', 'spiffe://a.example/x'],
    ]);
    assert.deepEqual(
      read.slice(4).map(([type]) => type),
      ['iPAddress', 'iPAddress', 'directoryName', 'otherName'],
    );
    const printed = x509(minted).subjectAltName ?? '';
    for (const part of ['IP Address:192.0.2.1', 'IP Address:2001:DB8:0:0:0:0:0:1', 'CN', 'UPN']) {
      assert.ok(printed.includes(part), `${part} in ${printed}`);
    }
  });

  test('nameConstraints: permitted, excluded, an address and its mask, critical or not', async () => {
    const minted = await some({
      nameConstraints: {
        permitted: [
          { type: 'dns', value: 'a.example' },
          { type: 'ip', value: '10.128.0.0/9' },
        ],
        excluded: [{ type: 'email', value: 'b.example' }],
        critical: false,
      },
    });
    const read = facts(minted).nameConstraints;
    assert.deepEqual(
      read?.permitted.map(({ octets }) => hex(octets)),
      [hex(Buffer.from('a.example')), '0a800000ff800000'],
    );
    assert.deepEqual(
      read?.excluded.map(({ type, octets }) => [type, text(octets)]),
      [['rfc822Name', 'b.example']],
    );
    assert.equal(extensionOf(minted, OID.nameConstraints)?.critical, false);
  });

  test('key identifiers: RFC 7093, the issuer’s, overridden, left out', async () => {
    const child = await some({});
    const expected = hash(
      'sha256',
      pkijs.Certificate.fromBER(child.der).subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView,
    ).slice(0, 40);
    assert.equal(facts(child).subjectKeyIdentifier, expected);
    assert.equal(facts(child).authorityKeyIdentifier?.keyIdentifier, facts(root).subjectKeyIdentifier);
    assert.equal(facts(root).authorityKeyIdentifier, undefined);
    const odd = await some({ subjectKeyId: Uint8Array.of(1, 2), authorityKeyId: Uint8Array.of(3) });
    assert.equal(facts(odd).subjectKeyIdentifier, '0102');
    assert.equal(facts(odd).authorityKeyIdentifier?.keyIdentifier, '03');
    const bare = await some({ subjectKeyId: null, authorityKeyId: null });
    assert.equal(pkijs.Certificate.fromBER(bare.der).extensions, undefined);
  });

  test('any further extension', async () => {
    const value = Uint8Array.of(0x05, 0x00);
    const minted = await some({ extensions: [{ oid: '1.2.3.4', critical: true, value }] });
    assert.deepEqual(facts(minted).unknownCritical, ['1.2.3.4']);
    assert.equal(hex(extensionOf(minted, '1.2.3.4')?.extnValue.valueBlock.valueHexView ?? value), '0500');
  });
});

suite('roles', () => {
  test('a CA, its intermediate, and what these issue', async () => {
    const intermediate = await mintIntermediate('intermediate', root);
    assert.deepEqual(facts(intermediate).basicConstraints, { ca: true, pathLen: 0 });
    const cluster = await mintClusterCertificate('c.example', intermediate);
    assert.deepEqual(x509(cluster).keyUsage, ['1.3.6.1.5.5.7.3.2']);
    assert.equal(x509(cluster).subjectAltName, 'DNS:c.example');
    const operator = await mintOperatorCertificate('o@example.com', ['g1', 'g2'], root);
    assert.equal(x509(operator).subject, 'O=g1\nO=g2\nCN=o@example.com');
    assert.equal(x509(operator).subjectAltName, 'email:o@example.com');
    const server = await mintServerCertificate(['s.example', '127.0.0.1', '::1'], root);
    assert.ok(x509(server).checkHost('s.example') !== undefined && x509(server).checkIP('::1') !== undefined);
    assert.deepEqual(x509(server).keyUsage, ['1.3.6.1.5.5.7.3.1']);
    assert.equal(chainPem(cluster), cluster.pem + intermediate.pem, 'without the root');
  });

  test('an override wins, and null takes away', async () => {
    const minted = await mintClusterCertificate('c.example', root, {
      extendedKeyUsage: null,
      keyUsage: ['keyAgreement'],
    });
    assert.equal(facts(minted).extendedKeyUsage, undefined);
    assert.deepEqual([...(facts(minted).keyUsage ?? [])], ['keyAgreement']);
  });
});
