import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import { findOpensslDeadEnd } from '../../../src/core/identity/openssl-path.ts';
import { trustOf } from './pki.ts';
import { ca, leaf, past } from './rule-chains.ts';
import { RULES } from './rules.ts';
import { askAll, type Chain } from './three-verifiers.ts';

const [old, fresh] = [await ca('old root'), await ca('new root')];
const middle = await ca('issuing', { issuer: fresh });
const crossed = await ca('issuing', { issuer: old, reuseKeyOf: middle });
const crossedBefore = await ca('issuing', { issuer: old, reuseKeyOf: middle, ...past });
const lower = await ca('lower', { issuer: middle });
const [below, deep] = [await leaf(middle), await leaf(lower)];
const twin = await ca('issuing', { issuer: fresh, subjectKeyId: null });

const foreseen = ({ chain, trusted }: Chain): boolean => {
  const [first, ...others] = chain.map(({ der }) => readCertificate(der));
  assert.ok(first);
  return findOpensslDeadEnd(first, others, trustOf(trusted), Date.now()) === undefined;
};

const ARRANGEMENTS: Readonly<Record<string, Chain>> = {
  'the new certificate first': { chain: [below, middle, crossed], trusted: [fresh] },
  'the old one first': { chain: [below, crossed, middle], trusted: [fresh] },
  'the old one alone': { chain: [below, crossed], trusted: [fresh] },
  'the old one first, and expired': { chain: [below, crossedBefore, middle], trusted: [fresh] },
  'the old one first, its root trusted as well': { chain: [below, crossed, middle], trusted: [fresh, old] },
  'the old one first, the CA in the bundle': { chain: [below, crossed], trusted: [fresh, middle] },
  'the CA alone in the bundle': { chain: [below, crossed], trusted: [middle] },
  'the old one first, and its root sent': { chain: [below, crossed, old, middle], trusted: [fresh] },
  'the same one level up, the new one first': { chain: [deep, lower, middle, crossed], trusted: [fresh] },
  'the same one level up, the old one first': { chain: [deep, lower, crossed, middle], trusted: [fresh] },
  'in any order': { chain: [deep, crossed, middle, lower], trusted: [old] },
  'nothing sent': { chain: [below], trusted: [fresh] },
  'another CA of the name first': { chain: [below, twin, middle], trusted: [old, fresh] },
};

/** Answers of OpenSSL that are about where it looked, and not about what it found there. */
const NO_WAY: readonly string[] = [
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
];

describe('where OpenSSL would look for a path is where it looks:', () => {
  for (const [what, chain] of Object.entries(ARRANGEMENTS)) {
    it(what, async () => {
      const { openssl } = await askAll(chain);
      assert.equal(foreseen(chain), !NO_WAY.includes(openssl), openssl);
    });
  }

  for (const [rule, rows] of Object.entries(RULES)) {
    it(`in chains that keep or break: ${rule}`, async () => {
      for (const { what, make } of rows) {
        const { crls: _, ...chain } = await make();
        const { ours, openssl } = await askAll(chain);
        // Of the others there is nothing to foresee: our own rules refuse them.
        if (ours === 'accepted') assert.equal(foreseen(chain), openssl === 'accepted', `${what}: ${openssl}`);
      }
    });
  }

  it('includes arrangements in which it finds nobody, though there is a path', () => {
    const lost = Object.values(ARRANGEMENTS).filter((chain) => !foreseen(chain));
    assert.ok(lost.length >= 4);
  });
});
