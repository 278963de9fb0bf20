import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { LIMITS } from '../../src/core/limits.ts';
import { HOSTILE_DNS, HOSTILE_TRUST_DOMAIN } from '../support/hostile-case.ts';
import { hostileCertificates } from '../support/hostile-certificates.ts';
import { createTestPki } from '../support/pki.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const PATH = `/api/v2/flux/clusters/${HOSTILE_DNS}/namespaces`;

interface LoggedCertificate {
  readonly sha256: string;
  readonly serial: string;
  readonly subject: string | undefined;
  readonly refused: string;
  readonly position: string;
}

/** Where the fault is, for those whose place is not a matter of how the path was searched. */
const POSITION: Readonly<Record<string, string>> = {
  expired: 'leaf',
  'not-yet-valid': 'leaf',
  'server-auth-only': 'leaf',
  wildcard: 'leaf',
  'nul-in-name': 'leaf',
  'rsa-1024': 'leaf',
  'sha-1': 'leaf',
  'expired-intermediate': 'intermediate 1',
  'rsa-1024-intermediate': 'intermediate 1',
  'sha-1-intermediate': 'intermediate 1',
  'issuer-without-basic-constraints': 'intermediate 1',
  'unknown-critical-extension-above': 'intermediate 1',
};

describe('the log line of a refused certificate', async () => {
  const pki = await createTestPki();
  const hostile = await hostileCertificates(pki);
  const gateway = shareGateway({ pki, environment: { SPIFFE_TRUST_DOMAIN: HOSTILE_TRUST_DOMAIN } });

  for (const certificate of hostile) {
    it(`names rule, position, detail and fingerprint: ${certificate.name}`, async () => {
      const answer = await gateway().send({ path: PATH, certificate });
      const line = gateway().logOf(answer);
      const logged = line['certificate'] as LoggedCertificate;
      const leaf = new X509Certificate(certificate.chainPem);
      assert.equal(line['status'], 495);
      assert.equal(line['principal'], 'anonymous');
      assert.equal(logged.refused, certificate.expectedRule);
      assert.equal(logged.sha256, leaf.fingerprint256.replaceAll(':', '').toLowerCase());
      // What could not or need not be read to be refused has no serial.
      if (!['malformed', 'too_large'].includes(certificate.expectedRule)) {
        assert.equal(BigInt(`0x${logged.serial}`), BigInt(`0x${leaf.serialNumber}`));
      }
      // A common name, where there is one: what there is to recognise it by, also where nothing else could be read.
      const [, name = ''] = /^CN=([\w.-]*)$/m.exec(leaf.subject ?? '') ?? [];
      if (leaf.raw.length > LIMITS.shownCertificateOctetsMax) assert.equal(logged.subject, undefined);
      else assert.ok(logged.subject?.includes(name), `${logged.subject}: ${name}`);
      assert.match(logged.subject ?? '', /^[^\p{C}\p{Zl}\p{Zp}]{0,256}$/u);
      assert.match(logged.position, /^(leaf|intermediate [1-9]|anchor|chain)$/);
      const where = POSITION[certificate.name];
      if (where !== undefined) assert.equal(logged.position, where);
      const reason = String(line['reason']);
      const detail = reason.slice(`${logged.refused}: ${logged.position}: `.length);
      assert.equal(reason, `${logged.refused}: ${logged.position}: ${detail}`);
      assert.ok(detail.length > 0 && detail.length <= 512, detail);
      const words = JSON.stringify(detail).slice(1, -1);
      assert.equal(JSON.stringify(line).split(words).length, 2, 'told once');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      assert.doesNotMatch(reason, /[\u0000-\u001f\u007f]/, 'one line, whatever is in the certificate');
    });
  }

  it('says which date of an expired certificate has passed', async () => {
    const notAfter = new Date(Date.now() - 3_600_000);
    const certificate = await pki.cluster(HOSTILE_DNS, { notBefore: new Date(0), notAfter });
    const line = gateway().logOf(await gateway().send({ path: PATH, certificate }));
    const { refused } = line['certificate'] as LoggedCertificate;
    assert.equal(refused, 'expired');
    const reason = String(line['reason']);
    assert.ok(reason.includes(notAfter.toISOString().slice(0, 16)), reason);
  });
});
