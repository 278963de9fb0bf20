import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mintCa } from '../../../certs-dev/mint.ts';
import type { RawExtension } from '../../../certs-dev/mint-extensions.ts';
import { nameDer } from '../../../certs-dev/mint-names.ts';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import { createIssuerReader } from '../../../src/core/identity/certificate-memory.ts';
import { readWhole } from '../../../src/core/identity/der.ts';
import { readDistinguishedName } from '../../../src/core/identity/distinguished-name.ts';
import { CertificateRefused } from '../../../src/core/identity/refused.ts';
import type { Trust } from '../../../src/core/identity/trust.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { timesAsCostly } from '../../support/cost.ts';
import { ca, DAY, judged, leaf, NOW, trustOf } from './pki.ts';

/** Whoever made these has no key of ours: all of it is read before anybody knows whether the issuer is trusted. */
const nobody = await mintCa('a CA of nobody');

function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  const { length } = content;
  const sized = length < 128 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...sized]), content]);
}

const SHORT_OID = Uint8Array.of(6, 1, 1);
const shortOids = (count: number): Uint8Array =>
  Buffer.concat(Array.from({ length: count }, () => SHORT_OID));
const longOid = (arcs: number): Uint8Array => tlv(6, Buffer.alloc(arcs, 1));
const extension = (oid: string, value: Uint8Array): RawExtension => ({
  oid,
  critical: false,
  value: new Uint8Array(value),
});
/** A subjectAltName of one otherName. */
const otherName = (value: Uint8Array): RawExtension =>
  extension('2.5.29.17', tlv(0x30, tlv(0xa0, Uint8Array.of(6, 3, 0x2a, 3, 4), tlv(0xa0, value))));
const keyPurposes = (count: number): RawExtension => extension('2.5.29.37', tlv(0x30, shortOids(count)));
const numbered = (count: number): readonly RawExtension[] =>
  Array.from({ length: count }, (_, n) => extension(`1.2.3.${n}`, Uint8Array.of(5, 0)));

function refusal(der: Uint8Array): CertificateRefused {
  try {
    readCertificate(der);
  } catch (error) {
    if (error instanceof CertificateRefused) return error;
  }
  throw new assert.AssertionError({ message: 'was not refused' });
}

const withExtensions = async (...extensions: readonly RawExtension[]): Promise<Uint8Array> =>
  (await leaf(nobody, { subjectAltNames: null, extendedKeyUsage: null, extensions })).der;

test('a name is read to so many octets', async () => {
  const named = async (characters: number): Promise<Uint8Array> =>
    (await leaf(nobody, { subject: { CN: 'x'.repeat(characters) } })).der;
  const around = LIMITS.distinguishedNameOctetsMax - 100;
  readCertificate(await named(around));
  assert.deepEqual(refusal(await named(around + 200)).rule, 'malformed');
  assert.match(refusal(await named(around + 200)).message, /the subject has \d+ octets; a name has at most/);
});

test('names that are no text are read to so many octets, whatever is in them', async () => {
  readCertificate(await withExtensions(otherName(longOid(900))));
  for (const value of [longOid(1_100), tlv(0x30, shortOids(400)), tlv(0x0c, Buffer.alloc(60_000, 0x61))]) {
    const { rule, message } = refusal(await withExtensions(otherName(value)));
    assert.equal(rule, 'too_large');
    assert.match(message, /octets of names in subjectAltName that are no text; at most/);
  }
});

test('so many extensions are read, and so much of each', async () => {
  readCertificate(await withExtensions(...numbered(50)));
  assert.equal(refusal(await withExtensions(...numbered(65))).rule, 'too_large');
  assert.match(refusal(await withExtensions(...numbered(65))).message, /extensions; at most 64 are read/);
  const { rule, message } = refusal(await withExtensions(keyPurposes(1_400)));
  assert.deepEqual([rule, /4204 octets in the extension 2\.5\.29\.37/.test(message)], ['too_large', true]);
});

test('the second parser makes so many values of one element', async () => {
  readCertificate(await withExtensions(keyPurposes(500)));
  const { rule, message } = refusal(await withExtensions(keyPurposes(600)));
  assert.deepEqual([rule, /Maximum ASN\.1 node count exceeded/.test(message)], ['malformed', true]);
});

test('white space inside a name costs what letters cost', () => {
  const inside = (one: string): (() => unknown) => {
    const name = readWhole(nameDer({ CN: `x${one.repeat(LIMITS.distinguishedNameOctetsMax - 100)}x` }));
    return () => {
      for (let n = 0; n < 20; n++) readDistinguishedName(name, 'the subject');
    };
  };
  assert.ok(timesAsCostly(inside(' '), inside('y')) < 10);
});

const root = await ca('root');
const intermediate = await ca('intermediate', { issuer: root });
const client = await leaf(intermediate);

function askedWhile(presented: Parameters<typeof judged>[0], trust: Trust, fail?: string) {
  const asked: string[] = [];
  const verdict = judged(presented, trust, {
    confirm({ subject: { readable } }) {
      asked.push(readable);
      if (readable === fail) throw new CertificateRefused('malformed', 'read differently');
    },
  });
  return { asked, verdict };
}

test('the second parser is asked of nothing that a stranger sends', async () => {
  const strangers = trustOf([await ca('another root')]);
  assert.deepEqual(askedWhile([client, intermediate, root], strangers).asked, []);
  const expired = await leaf(intermediate, {
    notBefore: new Date(NOW - 9 * DAY),
    notAfter: new Date(NOW - DAY),
  });
  assert.deepEqual(askedWhile([expired, intermediate], trustOf([root])).asked, []);
});

test('nobody is accepted before it was asked of all that they sent, once', async () => {
  const unused = await ca('unused');
  const presented = [client, intermediate, unused, intermediate, client];
  const { asked, verdict } = askedWhile(presented, trustOf([root]));
  assert.deepEqual([verdict.accepted, asked], [true, ['CN=a client', 'CN=intermediate', 'CN=unused']]);
  for (const [fail, position] of [
    ['CN=a client', 'leaf'],
    ['CN=intermediate', 'intermediate 1'],
    ['CN=unused', 'intermediate 2'],
  ] as const) {
    const { verdict: refused } = askedWhile(presented, trustOf([root]), fail);
    assert.ok(!refused.accepted);
    assert.deepEqual([refused.refusal.rule, refused.refusal.position], ['malformed', position]);
  }
});

test('an issuer that is read differently is refused each time', () => {
  const reader = createIssuerReader();
  const facts = reader.read(root.der);
  const other = Object.freeze({ ...facts, serial: '05' });
  assert.throws(() => reader.confirm(other), /serial number/);
  assert.throws(() => reader.confirm(other), /serial number/);
  reader.confirm(facts);
  assert.equal(reader.read(new Uint8Array(root.der)), facts);
});
