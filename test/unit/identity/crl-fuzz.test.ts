import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import * as pkijs from 'pkijs';
import type { Minted } from '../../../certs-dev/mint.ts';
import { mintCrl } from '../../../certs-dev/mint-crl.ts';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import { type CrlFacts, readCrl } from '../../../src/core/identity/crl.ts';
import { readRevokedEntries } from '../../../src/core/identity/crl-entries.ts';
import { readCrlBlocks } from '../../../src/core/identity/crl-pem.ts';
import { CrlRefused } from '../../../src/core/identity/crl-refused.ts';
import { createCrlSet, findCrlIssuer } from '../../../src/core/identity/crl-set.ts';
import { crlWarnings } from '../../../src/core/identity/crl-warnings.ts';
import { DerError } from '../../../src/core/identity/der.ts';
import type { Trust } from '../../../src/core/identity/trust.ts';
import { drive } from './crl-tools.ts';
import { ca, DAY, leaf, NOW, trustOf } from './pki.ts';
import { edits, RUN, spoil } from './spoil.ts';

let trust: Trust;
let root: Minted;
let below: Minted;
/** One for each kind of signature; the first has every extension and kind of entry that is read. */
let lists: readonly { readonly der: Uint8Array; readonly pem: string }[];

before(async () => {
  const kinds = ['P-256', 'P-521', 'Ed25519', 'RSA-2048'] as const;
  const issuers = await Promise.all(kinds.map((key) => ca(`root ${key}`, { key })));
  [root] = issuers as [Minted];
  below = await leaf(root);
  trust = trustOf(issuers);
  const date = new Date(NOW - DAY);
  const dates = { thisUpdate: date, nextUpdate: new Date(NOW + DAY) };
  lists = await Promise.all(
    issuers.map((issuer, index) =>
      mintCrl({
        issuer,
        ...dates,
        number: 1_000,
        revoked: [
          { serial: below.serial, date, reason: 1 },
          { serial: Uint8Array.of(0x00, 0x81), date },
          ...(index === 0 ? [{ serial: Uint8Array.of(0x42), date, reason: 8 }] : []),
        ],
      }),
    ),
  );
});

/** What may come of octets that are no CRL: one of two errors, and nothing else. Undefined: one of them came. */
function read(octets: Uint8Array): CrlFacts | undefined {
  try {
    return drive(readCrl(octets));
  } catch (error) {
    assert.ok(error instanceof DerError || error instanceof CrlRefused, String(error));
    return undefined;
  }
}

function isAccepted(facts: CrlFacts): boolean {
  try {
    drive(findCrlIssuer(facts, trust));
    return true;
  } catch (error) {
    assert.ok(error instanceof CrlRefused, String(error));
    return false;
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe('spoiled octets', () => {
  it('of a CRL are refused with one of two errors, or fail its signature: never accepted', () => {
    let wasRead = 0;
    for (const { der } of lists) {
      assert.ok(isAccepted(drive(readCrl(der))), 'as it is');
      fc.assert(
        fc.property(edits, (list) => {
          const spoiled = spoil(der, list);
          if (isSame(spoiled, der)) return;
          const facts = read(spoiled);
          if (facts === undefined) return;
          wasRead++;
          assert.ok(!isAccepted(facts));
        }),
        { ...RUN, numRuns: 6_000 },
      );
    }
    assert.ok(wasRead > 100, `only ${wasRead} were spoiled so little that their signature had to tell`);
  });

  it('of its signature alone are never accepted', () => {
    for (const { der } of lists) {
      const { signatureOctets } = drive(readCrl(der));
      const start = der.length - signatureOctets.length;
      fc.assert(
        fc.property(edits, (list) => {
          const signature = spoil(der.subarray(start), list);
          // The lengths of what is around it stay right, so that it is the signature that is looked at.
          if (signature.length !== signatureOctets.length || isSame(signature, signatureOctets)) return;
          const facts = read(Uint8Array.from([...der.subarray(0, start), ...signature]));
          assert.ok(facts === undefined || !isAccepted(facts));
        }),
        { ...RUN, numRuns: 5_000 },
      );
    }
  });

  it('that are read all the same are read as pkijs reads them, and can be asked about', () => {
    const issuer = readCertificate(root.der);
    const certificate = readCertificate(below.der);
    let compared = 0;
    fc.assert(
      fc.property(edits, (list) => {
        const spoiled = spoil(lists[0]?.der ?? new Uint8Array(), list);
        const facts = read(spoiled);
        if (facts === undefined) return;
        compared++;
        const other = pkijs.CertificateRevocationList.fromBER(spoiled);
        assert.equal(other.thisUpdate.value.getTime(), facts.thisUpdate);
        assert.equal(other.nextUpdate?.value.getTime(), facts.nextUpdate);
        const serials = (other.revokedCertificates ?? []).map(({ userCertificate }) =>
          Buffer.from(userCertificate.valueBlock.valueHexView).toString('hex'),
        );
        assert.equal(facts.entries.count + facts.entries.removals, serials.length);
        // A negative serial is no certificate's.
        const found = serials.filter(
          (hex) => /^[89a-f]/.test(hex) || facts.entries.find(hex.replace(/^00(?=.)/, '')) !== undefined,
        );
        assert.ok(found.length >= facts.entries.count);
        // Were a CA to sign it: whatever it says, nothing about it throws.
        const bound = { facts, issuer, source: 'a.crl', remembered: false };
        for (const policy of ['require-fresh', 'prefer-fresh'] as const) {
          const set = createCrlSet({ crls: [bound], previous: undefined, policy, trust, nowMs: NOW });
          const next = createCrlSet({ crls: [], previous: set, policy, trust, nowMs: NOW });
          for (const one of [set, next]) {
            one.check(certificate, issuer, NOW);
            assert.ok(!Number.isNaN(one.holdsUntil(certificate, issuer, NOW)));
            assert.ok(crlWarnings(one, NOW).every((line) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(line)));
            assert.ok(one.describe().every((line) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(line)));
          }
        }
      }),
      RUN,
    );
    assert.ok(compared > 100, `only ${compared} could be compared`);
  });

  it('of a PEM file hold the CRL as it was, or are refused', () => {
    const [list] = lists;
    assert.ok(list);
    const file = Buffer.from(`a comment\n${list.pem}\n${lists[1]?.pem}`);
    const originals = lists.map(({ der }) => Buffer.from(der).toString('hex'));
    fc.assert(
      fc.property(edits, (edit) => {
        let blocks: readonly Uint8Array[];
        try {
          blocks = drive(readCrlBlocks(spoil(file, edit)));
        } catch (error) {
          assert.ok(error instanceof DerError || error instanceof CrlRefused, String(error));
          return;
        }
        for (const der of blocks) {
          if (originals.includes(Buffer.from(der).toString('hex'))) continue;
          const facts = read(der);
          assert.ok(facts === undefined || !isAccepted(facts));
        }
      }),
      { ...RUN, numRuns: 8_000 },
    );
  });
});

describe('random octets', () => {
  const octets = fc.uint8Array({ maxLength: 200 });
  const refused = (act: () => unknown): void => {
    try {
      act();
    } catch (error) {
      assert.ok(error instanceof DerError || error instanceof CrlRefused, String(error));
    }
  };
  it('are no CRL', () => {
    fc.assert(
      fc.property(octets, (random) => assert.equal(read(random), undefined)),
      { ...RUN, numRuns: 5_000 },
    );
  });

  it('as entries, or as a file, are refused with one of two errors', () => {
    fc.assert(
      fc.property(octets, fc.boolean(), (random, framed) => {
        const entry = framed
          ? Buffer.from([0x30, random.length & 0x7f, ...random.subarray(0, 0x7f)])
          : random;
        refused(() => drive(readRevokedEntries(entry)));
        refused(() => drive(readCrlBlocks(random)));
      }),
      RUN,
    );
  });
});
