import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Minted, MintRequest } from '../../../certs-dev/mint.ts';
import type { NameValue } from '../../../certs-dev/mint-extensions.ts';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import { judge } from '../../../src/core/identity/judge.ts';
import type { CertificatePrincipal } from '../../../src/core/identity/principal.ts';
import type { Trust } from '../../../src/core/identity/trust.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { ca, judged, leaf, NOW, refusalOf, ruleOf, trustOf } from './pki.ts';

const DOMAIN = 'fleet.example';
const dns = (value: string | Uint8Array): NameValue => ({ type: 'dns', value });
const email = (value: string | Uint8Array): NameValue => ({ type: 'email', value });
const uri = (value: string): NameValue => ({ type: 'uri', value });
const raw = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

let clusters: Minted;
let operators: Minted;
let plain: Trust;
let spiffe: Trust;
before(async () => {
  clusters = await ca('clusters');
  operators = await ca('operators');
  plain = trustOf([clusters], [operators]);
  spiffe = trustOf([clusters], [operators], DOMAIN);
});

async function outcome(
  issuer: Minted,
  subjectAltNames: readonly NameValue[] | null,
  trust: Trust,
  more: Partial<MintRequest> = {},
): Promise<string> {
  const verdict = judged([await leaf(issuer, { subjectAltNames, ...more })], trust);
  if (!verdict.accepted) return verdict.refusal.rule;
  const { principal } = verdict;
  return principal.kind === 'cluster' ? `cluster ${principal.dns}` : `operator ${principal.name}`;
}

const CLUSTER_URI = `spiffe://${DOMAIN}/cluster/one.example`;
const OPERATOR_URI = `spiffe://${DOMAIN}/operator/ada`;

describe('the identity of a cluster', () => {
  const cases: readonly (readonly [string, readonly NameValue[] | null, boolean, string])[] = [
    // what, subjectAltName, with a SPIFFE trust domain, outcome
    ['one DNS name', [dns('one.example')], false, 'cluster one.example'],
    ['one DNS name, canonicalised', [dns('One.Example.')], false, 'cluster one.example'],
    ['no SAN, whatever the CN says', null, false, 'no_identity'],
    ['two DNS names', [dns('one.example'), dns('two.example')], false, 'ambiguous_identity'],
    ['the same DNS name twice', [dns('one.example'), dns('one.example')], false, 'ambiguous_identity'],
    ['a wildcard', [dns('*.example')], false, 'bad_name'],
    ['a wildcard beside a good name', [dns('one.example'), dns('*.example')], false, 'bad_name'],
    ['a NUL in the name', [dns(raw('one.example\0.evil'))], false, 'bad_name'],
    ['an octet above ASCII', [dns(raw('\xf6ne.example'))], false, 'bad_name'],
    ['an empty DNS name', [dns('')], false, 'bad_name'],
    ['an address as DNS name', [dns('10.0.0.1')], false, 'bad_name'],
    [
      'only other kinds of names',
      [email('a@b.example'), { type: 'ip', value: '10.0.0.1' }],
      false,
      'no_identity',
    ],
    [
      'a DNS name beside other kinds',
      [
        { type: 'ip', value: '10.0.0.1' },
        { type: 'other', value: 'x@y' },
        email('bad'),
        dns('one.example'),
        uri('https://x'),
      ],
      false,
      'cluster one.example',
    ],
    ['a URI with text that looks like a SAN', [uri('x, DNS:one.example')], false, 'no_identity'],
    ['a SPIFFE URI without a trust domain', [uri(CLUSTER_URI)], false, 'no_identity'],
    ['a DNS name beside it', [dns('one.example'), uri(CLUSTER_URI)], false, 'cluster one.example'],
    ['a SPIFFE URI', [uri(CLUSTER_URI)], true, 'cluster one.example'],
    ['a SPIFFE URI beside a DNS name', [dns('one.example'), uri(CLUSTER_URI)], true, 'ambiguous_identity'],
    ['two SPIFFE URIs', [uri(CLUSTER_URI), uri(CLUSTER_URI)], true, 'ambiguous_identity'],
    ['a SPIFFE URI of another domain', [uri('spiffe://x.example/cluster/one.example')], true, 'no_identity'],
    [
      'that beside a DNS name',
      [uri('spiffe://x.example/cluster/two.example'), dns('one.example')],
      true,
      'cluster one.example',
    ],
    ['a SPIFFE URI of another form', [uri(`spiffe://${DOMAIN}/ns/x`)], true, 'bad_name'],
    [
      'that beside a DNS name: one too many',
      [uri(`spiffe://${DOMAIN}/ns/x`), dns('one.example')],
      true,
      'bad_name',
    ],
    ["an operator's SPIFFE URI", [uri(OPERATOR_URI)], true, 'no_identity'],
    [
      "an operator's SPIFFE URI beside a DNS name",
      [uri(OPERATOR_URI), dns('one.example')],
      true,
      'ambiguous_identity',
    ],
  ];
  for (const [what, names, withDomain, expected] of cases) {
    it(`from ${what}: ${expected}`, async () => {
      const subject = { CN: 'cn.example', O: ['admins'] };
      assert.equal(await outcome(clusters, names, withDomain ? spiffe : plain, { subject }), expected);
    });
  }
});

describe('a name that is none', () => {
  it('is told with what a name must be', async () => {
    const wildcard = await leaf(clusters, { subjectAltNames: [dns('*.k8s.example')] });
    const verdict = judged([wildcard], plain);
    assert.ok(!verdict.accepted);
    assert.equal(
      verdict.refusal.detail,
      'DNS:*.k8s.example is no name of one client: it must be spelled out, without wildcard, underscore, escape, NUL or empty label, and be no IP address',
    );
  });
});

describe('the identity of an operator', () => {
  const cases: readonly (readonly [string, readonly NameValue[] | null, string])[] = [
    ['an email address', [email('Ada@Example.com')], 'operator Ada@example.com'],
    ['a DNS name', [dns('ci.example')], 'operator ci.example'],
    ['a SPIFFE URI', [uri(OPERATOR_URI)], `operator ${OPERATOR_URI}`],
    ['nothing', null, 'no_identity'],
    ['an address and a DNS name', [email('ada@example.com'), dns('ci.example')], 'ambiguous_identity'],
    ['two addresses', [email('ada@example.com'), email('bob@example.com')], 'ambiguous_identity'],
    ['a malformed address', [email('ada@@example.com')], 'bad_name'],
    ['an address with a NUL', [email(raw('ada@example.com\0'))], 'bad_name'],
    ['a malformed address beside a good one', [email('ada@example.com'), email('')], 'bad_name'],
    ["a cluster's SPIFFE URI", [uri(CLUSTER_URI)], 'no_identity'],
    [
      "a cluster's SPIFFE URI beside an address",
      [uri(CLUSTER_URI), email('ada@example.com')],
      'ambiguous_identity',
    ],
  ];
  for (const [what, names, expected] of cases) {
    it(`from ${what}: ${expected}`, async () => {
      assert.equal(await outcome(operators, names, spiffe), expected);
    });
  }

  it('comes with the groups of its subject, in order', async () => {
    const changes = {
      subjectAltNames: [email('ada@example.com')],
      subject: { CN: 'x', O: ['b', 'a', 'sre, O=root'] },
    };
    const verdict = judged([await leaf(operators, changes)], plain);
    const principal = verdict.accepted ? verdict.principal : undefined;
    assert.deepEqual(principal?.kind === 'operator' && principal.groups, ['b', 'a', 'sre, O=root']);
  });

  for (const [what, O, rule] of [
    ['a control character', ['a\nb'], 'bad_name'],
    ['a NUL', ['admins\0'], 'bad_name'],
    ['a bidirectional override', ['a\u202eb'], 'bad_name'],
    ['no character', [''], 'bad_name'],
    ['257 characters', ['x'.repeat(257)], 'bad_name'],
    ['33 others', Array.from({ length: 33 }, (_, i) => `g${i}`), 'too_large'],
  ] as const) {
    it(`is refused with a group of ${what}`, async () => {
      assert.equal(await outcome(operators, [email('ada@example.com')], plain, { subject: { O } }), rule);
    });
  }
});

describe('the kind of a principal', () => {
  it('is what its CA says, not what its names say', async () => {
    assert.equal(await outcome(clusters, [email('ada@example.com')], plain), 'no_identity');
    assert.equal(await outcome(operators, [dns('one.example')], plain), 'operator one.example');
  });

  it('is never an operator without an operator bundle', async () => {
    const below = await leaf(operators, { subjectAltNames: [email('ada@example.com')] });
    assert.equal(ruleOf(judged([below], trustOf([clusters]))), 'untrusted');
  });
});

describe('a verdict', () => {
  it('of yes names the certificate and its anchor, and cannot be changed', async () => {
    const below = await leaf(clusters);
    const verdict = judged([below], plain);
    assert.ok(verdict.accepted);
    const { principal } = verdict;
    const facts = readCertificate(below.der);
    const expected: CertificatePrincipal = {
      kind: 'cluster',
      dns: 'one.k8s.example.com',
      certificate: {
        sha256: facts.sha256,
        spkiSha256: facts.spkiSha256,
        serial: Buffer.from(below.serial).toString('hex'),
        subject: 'CN=a client',
        issuer: 'CN=clusters',
        anchorSha256: readCertificate(clusters.der).sha256,
        issuersSha256: [readCertificate(clusters.der).sha256],
        notAfter: below.notAfter.getTime(),
      },
    };
    assert.deepEqual(principal, expected);
    assert.equal(verdict.validUntil, below.notAfter.getTime());
    for (const part of [verdict, principal, principal.certificate]) assert.ok(Object.isFrozen(part));
  });

  it('is no where OpenSSL says no, and quotes it', async () => {
    const openssl = { authorized: false, error: 'CERT_REVOKED' };
    const refusal = refusalOf(judged([await leaf(clusters)], plain, { openssl }));
    assert.equal(refusal.rule, 'openssl_disagrees');
    assert.match(refusal.detail, /CERT_REVOKED/);
    assert.notEqual(refusal.sha256, '');
    const yes = { authorized: 'yes' as unknown as boolean, error: undefined };
    assert.equal(ruleOf(judged([await leaf(clusters)], plain, { openssl: yes })), 'openssl_disagrees');
  });

  it('is no where OpenSSL says yes and our rules say no', async () => {
    assert.equal(ruleOf(judged([await leaf(clusters, { key: 'RSA-1024' })], plain)), 'weak_key');
  });

  it('is no for nothing at all, for too many certificates and for too many octets', async () => {
    assert.equal(ruleOf(judged([], plain)), 'malformed');
    const below = await leaf(clusters);
    const many = Array.from({ length: LIMITS.presentedCertificatesMax }, () => clusters);
    assert.equal(ruleOf(judged([below, ...many], plain)), 'too_large');
    assert.equal(ruleOf(judged([below, ...many.slice(1)], plain)), 'accepted');
    assert.equal(ruleOf(judged([below, new Uint8Array(LIMITS.chainBytesMax)], plain)), 'too_large');
  });

  it('is no when anything presented is malformed, and says which', async () => {
    const refusal = refusalOf(judged([await leaf(clusters), clusters, Uint8Array.of(0x30, 0x00)], plain));
    assert.deepEqual([refusal.rule, refusal.position], ['malformed', 'intermediate 2']);
  });

  it('of a stranger says of both bundles what is the same of both, once', async () => {
    const stranger = await ca('stranger');
    const { detail } = refusalOf(judged([await leaf(stranger), clusters], plain));
    assert.match(
      detail,
      /^"[^"]+" \(sha256 [0-9a-f]{16}…\) was issued by "CN=stranger": neither CLUSTER_CA_FILE nor OPERATOR_CA_FILE nor the 1 further certificate\(s\) that the peer sent have a CA of that name$/,
    );
    const alone = refusalOf(judged([await leaf(stranger)], trustOf([clusters])));
    assert.match(alone.detail, /: neither CLUSTER_CA_FILE nor the 0 further/);
  });

  it('of a stranger says of each bundle what is of one alone', async () => {
    const { detail } = refusalOf(judged([await leaf(await ca('clusters'))], plain));
    const [cluster, operator, ...more] = detail.split('; ');
    assert.match(
      cluster ?? '',
      /was issued by "CN=clusters": CLUSTER_CA_FILE and the peer have CAs of that name/,
    );
    assert.match(operator ?? '', /was issued by "CN=clusters": neither OPERATOR_CA_FILE nor the 0 further/);
    assert.deepEqual(more, []);
  });

  it('of no is one bounded line without control characters', async () => {
    const subject = { CN: `evil\r\nlevel=info \u001b[31m\u202e ${'x'.repeat(4_000)}` };
    const stranger = await ca(`a\nb${'y'.repeat(4_000)}`);
    for (const chain of [
      [await leaf(stranger, { subject })],
      [await leaf(clusters, { subject, extendedKeyUsage: null })],
    ]) {
      const { detail } = refusalOf(judged(chain, plain));
      assert.ok(detail.length <= 1_024);
      assert.doesNotMatch(detail, /\p{Cc}|\p{Cf}/u);
    }
  });

  it('never comes as an exception, whatever goes wrong', () => {
    const broken = new Proxy({} as Trust, {
      get: () => {
        throw new RangeError('a fault of our own');
      },
    });
    const openssl = { authorized: true, error: undefined };
    for (const first of [clusters.der, undefined, {}, 'text', new Uint8Array(3)]) {
      const presented = [first as Uint8Array];
      for (const trust of [plain, broken]) {
        assert.equal(judge({ presented, openssl, trust, nowMs: NOW }).accepted, false);
      }
    }
  });
});
