import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import { readWhole } from '../../../src/core/identity/der.ts';
import { describePublicKey, readPublicKey, weaknessOf } from '../../../src/core/identity/public-key.ts';
import {
  isIssuerSignedBy,
  isSelfSigned,
  isSignedBy,
  readSignatureAlgorithm,
} from '../../../src/core/identity/signature.ts';
import { ca, leaf } from './pki.ts';

const spki = (key: KeyObject) =>
  readPublicKey(readWhole(new Uint8Array(key.export({ type: 'spki', format: 'der' }))));

/** A public key of any shape, good for reading only. */
function rsa(bits: number, e: string, lastOctet = 0xff) {
  const modulus = Buffer.alloc(bits / 8, 0xff);
  modulus[modulus.length - 1] = lastOctet;
  const jwk = {
    kty: 'RSA',
    n: modulus.toString('base64url'),
    e: Buffer.from(e, 'hex').toString('base64url'),
  };
  return spki(createPublicKey({ key: jwk, format: 'jwk' }));
}

describe('keys that are believed', () => {
  const good: readonly (readonly [string, ReturnType<typeof spki>])[] = [
    ['RSA-2048', rsa(2048, '010001')],
    ['RSA-8192', rsa(8192, '010001')],
    ['RSA-2048', rsa(2048, '0100000001')],
    ['P-256', spki(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)],
    ['P-384', spki(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)],
    ['P-521', spki(generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey)],
    ['Ed25519', spki(generateKeyPairSync('ed25519').publicKey)],
  ];
  for (const [name, key] of good) {
    it(`include ${name}`, () => {
      assert.equal(describePublicKey(key), name);
      assert.equal(weaknessOf(key), undefined);
    });
  }

  const explicit = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).publicKey;
  const weak: readonly (readonly [string, ReturnType<typeof spki>, RegExp])[] = [
    ['RSA of 2040 bits', rsa(2040, '010001'), /2040 bits/],
    ['RSA of 8200 bits', rsa(8200, '010001'), /8200 bits/],
    ['RSA with exponent 1', rsa(2048, '01'), /exponent of 1;/],
    ['RSA with exponent 3', rsa(2048, '03'), /exponent of 3;/],
    ['RSA with an even exponent', rsa(2048, '010002'), /exponent/],
    ['RSA with an exponent of 65 bits', rsa(2048, '010000000000000001'), /exponent/],
    ['RSA with an exponent of 80 bits', rsa(2048, '01000000000000000001'), /exponent/],
    ['RSA with an even modulus', rsa(2048, '010001', 0xfe), /even/],
    [
      'RSA keys bound to PSS',
      spki(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey),
      /1\.2\.840\.113549\.1\.1\.10/,
    ],
    [
      'EC on another curve',
      spki(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey),
      /1\.3\.132\.0\.10/,
    ],
    ['EC with parameters of its own', spki(explicit), /explicit/],
    ['Ed448', spki(generateKeyPairSync('ed448').publicKey), /1\.3\.101\.113/],
    ['X25519', spki(generateKeyPairSync('x25519').publicKey), /1\.3\.101\.110/],
  ];
  for (const [what, key, reason] of weak) {
    it(`do not include ${what}`, () => assert.match(weaknessOf(key) ?? '', reason));
  }
});

describe('signature algorithms', () => {
  const read = (hex: string) =>
    readSignatureAlgorithm(readWhole(new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))));
  const SHA256 = '0609 608648016503040201';
  const SHA1 = '0605 2b0e03021a';
  const PSS = '0609 2a864886f70d01010a';
  const MGF1 = '0609 2a864886f70d010108';
  const sequence = (...parts: string[]): string => wrap('30', parts.join(''));
  const wrap = (tag: string, content: string): string => {
    const hex = content.replaceAll(' ', '');
    return tag + (hex.length / 2).toString(16).padStart(2, '0') + hex;
  };
  const pss = (hash: string, mask: string, ...rest: string[]): string =>
    sequence(
      PSS,
      sequence(
        wrap('a0', sequence(hash, '0500')),
        wrap('a1', sequence(MGF1, sequence(mask, '0500'))),
        ...rest,
      ),
    );

  it('are read with their hash', () => {
    assert.deepEqual(read(sequence('0609 2a864886f70d01010b', '0500')).algorithm, {
      scheme: 'rsa-pkcs1',
      hash: 'sha256',
    });
    assert.deepEqual(read(sequence('0608 2a8648ce3d040303')).algorithm, { scheme: 'ecdsa', hash: 'sha384' });
    assert.deepEqual(read(sequence('0603 2b6570')).algorithm, { scheme: 'ed25519' });
    assert.deepEqual(read(pss(SHA256, SHA256, wrap('a2', '020120'))).algorithm, {
      scheme: 'rsa-pss',
      hash: 'sha256',
      saltLength: 32,
    });
  });

  for (const [what, hex, reason] of [
    ['MD5', sequence('0609 2a864886f70d010104', '0500'), /MD5/],
    ['SHA-1', sequence('0609 2a864886f70d010105', '0500'), /SHA-1/],
    ['SHA-1 with ECDSA', sequence('0607 2a8648ce3d0401'), /SHA-1/],
    ['something unknown', sequence('0603 2a0304'), /1\.2\.3\.4/],
    ['PSS without parameters', sequence(PSS), /SHA-1/],
    ['PSS with default parameters', sequence(PSS, '3000'), /SHA-1/],
    ['PSS with SHA-1', pss(SHA1, SHA1), /other than/],
    ['PSS with another hash in its mask', pss(SHA256, SHA1), /mask/],
    ['PSS with another trailer', pss(SHA256, SHA256, wrap('a3', '020102')), /trailer/],
    ['PSS with a salt that fits no key', pss(SHA256, SHA256, wrap('a2', '02020500')), /salt/],
  ] as const) {
    it(`do not include ${what}`, () => {
      const { algorithm, problem } = read(hex);
      assert.equal(algorithm, undefined);
      assert.match(problem, reason);
    });
  }

  it('have no parameters that are not theirs', () => {
    assert.throws(() => read(sequence('0608 2a8648ce3d040302', '0500')), /parameters/);
    assert.throws(() => read(sequence('0603 2b6570', '0500')), /parameters/);
    assert.throws(() => read(sequence('0609 2a864886f70d01010b', '020100')), /parameters/);
  });

  it('are checked with the key of the issuer, and of nobody else', async () => {
    const keys = ['P-256', 'P-384', 'Ed25519', 'RSA-2048'] as const;
    const cas = await Promise.all(keys.map((key) => ca(key, { key })));
    for (const issuer of cas) {
      const below = readCertificate((await leaf(issuer)).der);
      for (const other of cas) {
        assert.equal(isSignedBy(below, readCertificate(other.der)), other === issuer);
      }
    }
  });

  it('must suit the key: an RSA signature that calls itself ECDSA is none', async () => {
    const issuer = readCertificate((await ca('rsa', { key: 'RSA-2048' })).der);
    const algorithm = { scheme: 'ecdsa', hash: 'sha256' } as const;
    assert.equal(isSignedBy(issuer, issuer), true);
    assert.equal(isSignedBy({ ...issuer, signature: { ...issuer.signature, algorithm } }, issuer), false);
  });

  it('by oneself are told from a name repeated', async () => {
    const old = await ca('root');
    const renewed = await ca('root', { issuer: old });
    assert.equal(isSelfSigned(readCertificate(old.der)), true);
    assert.equal(isSelfSigned(readCertificate(renewed.der)), false);
    const sha1 = await ca('root', { key: 'RSA-2048', signatureHash: 'SHA-1' });
    assert.equal(isSelfSigned(readCertificate(sha1.der)), true);
  });
});

it('says of each pair of issuers what it says of this pair, however often others were asked about', async () => {
  const [one, two] = [await ca('root'), await ca('root')];
  const below = await ca('below', { issuer: one });
  const other = await ca('below', { issuer: two });
  const [first, second, child, stepchild] = [one, two, below, other].map(({ der }) => readCertificate(der));
  assert.ok(first && second && child && stepchild);
  for (let time = 1; time <= 2; time++) {
    assert.equal(isIssuerSignedBy(child, second), false);
    assert.equal(isIssuerSignedBy(child, first), true);
    assert.equal(isIssuerSignedBy(stepchild, first), false);
    assert.equal(isIssuerSignedBy(stepchild, second), true);
  }
});
