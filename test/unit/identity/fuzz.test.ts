import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import * as pkijs from 'pkijs';
import type { Minted } from '../../../certs-dev/mint.ts';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import { CertificateRefused } from '../../../src/core/identity/refused.ts';
import type { Trust } from '../../../src/core/identity/trust.ts';
import { REFUSAL_RULES } from '../../../src/core/identity/verdict.ts';
import { ca, judged, leaf, ruleOf, trustOf } from './pki.ts';
import { edits, RUN, spoil } from './spoil.ts';

let trust: Trust;
let issuing: Minted;
let below: Minted;
before(async () => {
  const root = await ca('root');
  issuing = await ca('issuing', {
    issuer: root,
    nameConstraints: { permitted: [{ type: 'dns', value: 'example.com' }] },
  });
  below = await leaf(issuing, { subject: { CN: 'x', O: ['a', 'b'] } });
  trust = trustOf([root]);
});

describe('spoiled octets', () => {
  it('of a leaf are never accepted, and never throw', () => {
    assert.equal(ruleOf(judged([below, issuing], trust)), 'accepted');
    fc.assert(
      fc.property(edits, (list) => {
        const spoiled = spoil(below.der, list);
        const verdict = judged([spoiled, issuing], trust);
        if (Buffer.compare(spoiled, below.der) === 0) return;
        assert.ok(!verdict.accepted);
        assert.ok(REFUSAL_RULES.includes(verdict.refusal.rule));
      }),
      RUN,
    );
  });

  it('of an intermediate never make its leaf acceptable', () => {
    fc.assert(
      fc.property(edits, (list) => {
        const spoiled = spoil(issuing.der, list);
        if (Buffer.compare(spoiled, issuing.der) === 0) return;
        assert.equal(judged([below, spoiled], trust).accepted, false);
      }),
      { ...RUN, numRuns: 1_500 },
    );
  });

  it('are either refused with a rule or read as what OpenSSL and pkijs read', () => {
    fc.assert(
      fc.property(edits, (list) => {
        const spoiled = spoil(below.der, list);
        let facts: ReturnType<typeof readCertificate>;
        try {
          facts = readCertificate(spoiled);
        } catch (error) {
          assert.ok(error instanceof CertificateRefused, String(error));
          return;
        }
        // What our reader takes, pkijs takes too, and sees the same names in it.
        const other = pkijs.Certificate.fromBER(spoiled);
        assert.equal(other.notAfter.value.getTime(), facts.notAfter);
        const san = other.extensions?.find(({ extnID }) => extnID === '2.5.29.17');
        const names = (san?.parsedValue as pkijs.AltName | undefined)?.altNames ?? [];
        assert.equal(names.length, facts.subjectAltNames.length);
      }),
      { ...RUN, numRuns: 1_500 },
    );
  });
});

describe('random octets', () => {
  it('are refused, alone or behind a good leaf', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        assert.equal(ruleOf(judged([octets], trust)), 'malformed');
        assert.equal(ruleOf(judged([below, octets], trust)), 'malformed');
      }),
      { ...RUN, numRuns: 500 },
    );
  });
});
