import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import type { Minted } from '../../../certs-dev/mint.ts';
import { StartupError } from '../../../src/core/errors.ts';
import { createTrust, readBundle, trustWarnings } from '../../../src/core/identity/trust.ts';
import { bundle, ca, DAY, judged, leaf, NOW, ruleOf, trustOf } from './pki.ts';

function refuses(step: () => unknown, reason: RegExp): void {
  assert.throws(step, (error: unknown) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.match(error.message, reason);
    assert.ok(!error.message.includes('\n'), 'one line');
    return true;
  });
}

const read = (pem: string) => readBundle(pem, 'OPERATOR_CA_FILE');
const names = (certificates: readonly { subject: { readable: string } }[]) =>
  certificates.map(({ subject }) => subject.readable);

let root: Minted;
let issuing: Minted;
let other: Minted;
before(async () => {
  root = await ca('root');
  issuing = await ca('issuing', { issuer: root });
  other = await ca('other');
});

describe('a bundle', () => {
  it('gives each certificate its role', () => {
    const { anchors, intermediates } = bundle(issuing, root, other);
    assert.deepEqual(names(anchors), ['CN=root', 'CN=other']);
    assert.deepEqual(names(intermediates), ['CN=issuing']);
    assert.deepEqual(names(bundle(issuing).anchors), ['CN=issuing']);
  });

  it('takes for an issuer only who signed, not who has the name', async () => {
    const impostor = await ca('root', { subjectKeyId: root.subjectKeyId });
    assert.deepEqual(names(bundle(issuing, impostor).anchors), ['CN=issuing', 'CN=root']);
  });

  it('may hold comments, CRLF line ends, and a certificate twice', () => {
    const pem = `# our root\r\nsubject=CN = root\r\n${root.pem.replaceAll('\n', '\r\n')}\n\n${root.pem}`;
    const { certificates, warnings } = read(pem);
    assert.equal(certificates.length, 1);
    assert.match(warnings[0] ?? '', /block 2 repeats/);
    assert.equal(readBundle(Buffer.from(pem), 'X').certificates.length, 1);
  });

  const key = () => root.keyPem;
  const cases: readonly (readonly [string, () => string, RegExp])[] = [
    ['an empty file', () => '', /OPERATOR_CA_FILE: the file holds no certificate/],
    ['comments only', () => 'hello\n', /holds no certificate$/],
    [
      'DER, as a file is read',
      () => Buffer.from(new X509Certificate(root.pem).raw).toString('utf8'),
      /OPERATOR_CA_FILE: the file holds no certificate in PEM: it looks like DER \(openssl x509 -inform DER -in DER_FILE -out PEM_FILE\)$/,
    ],
    [
      'two files joined without a newline',
      () => root.pem.trimEnd() + other.pem,
      /OPERATOR_CA_FILE: block 1: a newline is missing between its END line and the BEGIN line of the next block$/,
    ],
    ['a private key', () => root.pem + key(), /OPERATOR_CA_FILE: block 2 is a private key/],
    ['an encrypted key', () => '-----BEGIN ENCRYPTED PRIVATE KEY-----\n', /private key/],
    ['a CRL', () => '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n', /only CERTIFICATE/],
    ['OpenSSL trust settings', () => root.pem.replaceAll('CERT', 'TRUSTED CERT'), /only CERTIFICATE/],
    ['a block without END', () => root.pem.slice(0, 200), /block 1 has no END|garbled/],
    ['a block inside a block', () => root.pem.slice(0, 93) + root.pem, /block 1 is garbled/],
    ['a broken marker', () => root.pem.replace('-----BEGIN', '----BEGIN'), /garbled PEM marker/],
    ['a character that is no base64', () => root.pem.replace('M', '*'), /garbled/],
    ['a character too few', () => root.pem.replace('\nM', '\n'), /not base64|not a usable/],
    ['missing padding', () => '-----BEGIN CERTIFICATE-----\nMAA\n-----END CERTIFICATE-----', /not base64/],
    ['headers', () => root.pem.replace('-----\n', '-----\nProc-Type: 4\n\n'), /garbled/],
    [
      'another DER',
      () => '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----',
      /block 1 is not a usable/,
    ],
    ['a second block that is cut off', () => root.pem + other.pem.slice(0, 100), /block 2/],
  ];
  for (const [what, pem, reason] of cases)
    it(`is refused with ${what}`, () => refuses(() => read(pem()), reason));

  it('is refused with a member that is no CA, may not sign, or is weak', async () => {
    const below = await leaf(root);
    refuses(() => read(root.pem + below.pem), /OPERATOR_CA_FILE: block 2, "CN=a client".*not a CA/);
    const mute = await ca('mute', { keyUsage: ['cRLSign'] });
    refuses(() => read(mute.pem), /keyCertSign/);
    const weak = await ca('weak', { key: 'RSA-1024' });
    refuses(() => read(weak.pem), /1024 bits/);
    const bare = await ca('bare', { basicConstraints: null });
    refuses(() => read(bare.pem), /not a CA/);
  });

  it('is refused when its members only sign each other', async () => {
    const a = await ca('a', { issuer: root });
    const b = await ca('b', { issuer: a });
    const aByB = await ca('a', { issuer: b, reuseKeyOf: a });
    refuses(() => bundle(aByB, b), /circle/);
  });

  it('loads an expired anchor with a warning, and believes nothing under it', async () => {
    const old = await ca('old', { notBefore: new Date(NOW - 9 * DAY), notAfter: new Date(NOW - DAY) });
    const trust = trustOf([old, other]);
    assert.match(trustWarnings(trust, NOW).join(), /"CN=old".*expired at 2030-01-14/);
    assert.equal(ruleOf(judged([await leaf(old)], trust)), 'expired');
  });
});

describe('the two bundles together', () => {
  it('are refused with a certificate in both', () => {
    refuses(() => trustOf([root], [other, root]), /CLUSTER_CA_FILE and OPERATOR_CA_FILE both hold "CN=root"/);
  });

  it('are refused with one name and key in both, as different certificates', async () => {
    refuses(() => trustOf([root], [root].concat()), /both hold/);
    const renewed = await ca('root', { reuseKeyOf: root });
    refuses(() => trustOf([root], [renewed]), /both hold/);
    const crossed = await ca('issuing', { issuer: other, reuseKeyOf: issuing });
    refuses(() => trustOf([root, issuing], [other, crossed]), /both hold/);
  });

  it('are refused when an anchor of one was issued within the other', async () => {
    refuses(
      () => trustOf([root], [issuing]),
      /OPERATOR_CA_FILE: "CN=issuing".* issued by "CN=root".*CLUSTER_CA_FILE/,
    );
    refuses(() => trustOf([issuing], [root]), /CLUSTER_CA_FILE: "CN=issuing"/);
    const below = await ca('below', { issuer: issuing });
    refuses(() => trustOf([root, issuing], [below]), /OPERATOR_CA_FILE: "CN=below"/);
  });

  it('may be two issuing CAs of one root that is in neither', async () => {
    const operators = await ca('operators', { issuer: root });
    const trust = trustOf([issuing], [operators]);
    const cluster = judged([await leaf(issuing), issuing, operators, root], trust);
    assert.equal(cluster.accepted && cluster.principal.kind, 'cluster');
    const operator = judged([await leaf(operators), root, issuing], trust);
    assert.equal(operator.accepted && operator.principal.kind, 'operator');
  });

  it('make a chain that reaches both ambiguous, until one of its paths ends', async () => {
    const operators = await ca('operators', { issuer: root });
    const middle = await ca('middle', { issuer: operators });
    // `middle` once more, under the clusters' CA: only the peer has it, so no start could have seen it.
    const crossed = await ca('middle', {
      issuer: issuing,
      reuseKeyOf: middle,
      notAfter: new Date(NOW + DAY),
    });
    const trust = trustOf([issuing], [operators]);
    const below = await leaf(middle);
    const verdict = judged([below, middle, crossed], trust);
    assert.equal(ruleOf(verdict), 'ambiguous_trust');
    assert.equal(verdict.validUntil, NOW + DAY);
    assert.equal(ruleOf(judged([below, middle, crossed], trust, { nowMs: NOW + 2 * DAY })), 'accepted');
  });

  it('give OpenSSL every certificate, and the log a line for each anchor', () => {
    const trust = trustOf([root, issuing], [other]);
    assert.deepEqual(trust.authorities.toSorted(), [root.pem, issuing.pem, other.pem].toSorted());
    assert.equal(trust.describe().length, 2);
  });

  it('are refused with a trust domain that is no canonical name', () => {
    for (const domain of ['Fleet.example', 'fleet.example.', '*.example', '', 'spiffe://fleet.example']) {
      refuses(
        () => createTrust({ cluster: bundle(root), operator: undefined, spiffeTrustDomain: domain }),
        /SPIFFE_TRUST_DOMAIN/,
      );
    }
  });
});
