import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  canonicalDnsName,
  canonicalEmail,
  dnsNameFromOctets,
  emailFromOctets,
  isCanonicalDnsName,
  readSpiffeUri,
} from '../../../src/core/identity/names.ts';

const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const label63 = 'a'.repeat(63);
const name253 = `${label63}.${label63}.${label63}.${'a'.repeat(61)}`;

describe('canonical DNS names', () => {
  const good: readonly (readonly [string, string])[] = [
    ['one.k8s.example.com', 'one.k8s.example.com'],
    ['One.K8S.Example.COM', 'one.k8s.example.com'],
    ['one.example.com.', 'one.example.com'],
    ['localhost', 'localhost'],
    ['3com.example', '3com.example'],
    ['1.2.3.4.example', '1.2.3.4.example'],
    ['a-b.example', 'a-b.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['xn--strae-oqa.example', 'xn--strae-oqa.example'],
    [name253, name253],
    [`${name253}.`, name253],
  ];
  for (const [text, canonical] of good) {
    it(`reads ${text.slice(0, 40)}`, () => {
      assert.equal(canonicalDnsName(text), canonical);
      assert.equal(dnsNameFromOctets(octets(text)), canonical);
      assert.equal(isCanonicalDnsName(text), text === canonical);
    });
  }

  it('is found by its labels, however ordinary it looks', () => {
    const labels = [
      'a',
      'b1',
      '9',
      'a-b',
      'a--b',
      '-a',
      'a-',
      'xn--a',
      '0x1f',
      'com',
      label63,
      `${label63}a`,
      '',
      'A',
      'ü',
    ];
    const numeric = /^(?:[0-9]+|0x[0-9a-f]*)$/;
    const ordinary = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
    const isLabel = (label: string): boolean =>
      label.length <= 63 && ordinary.test(label) && !label.startsWith('--', 2);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...labels), { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.join('.');
        const expected = text.length <= 253 && parts.every(isLabel) && !numeric.test(parts.at(-1) ?? '');
        assert.equal(isCanonicalDnsName(text), expected, text);
      }),
      { numRuns: 2_000 },
    );
  });

  const hostile: readonly (readonly [string, string])[] = [
    ['the empty name', ''],
    ['a lone dot', '.'],
    ['two trailing dots', 'a.example..'],
    ['a leading dot', '.example.com'],
    ['an empty label', 'a..example'],
    ['a wildcard', '*.example.com'],
    ['a partial wildcard', 'a*.example.com'],
    ['an underscore', '_dmarc.example.com'],
    ['a leading hyphen', '-a.example'],
    ['a trailing hyphen', 'a-.example'],
    ['hyphens in third and fourth place', 'ab--cd.example'],
    ['an A-label of nothing', 'xn--.example'],
    ['an A-label that is no punycode', 'xn--a.example'],
    ['ASCII in the guise of an A-label', 'xn--example-.example'],
    ['an A-label of an A-label', 'xn--xn---epa.example'],
    ['a NUL', 'good.example\0.evil.example'],
    ['a line feed', 'a.example\n'],
    ['a space', 'a .example'],
    ['a tab', 'a\t.example'],
    ['an octet above ASCII', 'b\xfccher.example'],
    ['an IPv4 address', '10.0.0.1'],
    ['a short IPv4 address', '127.1'],
    ['a number', '2130706433'],
    ['a hexadecimal address', '0x7f.0x1'],
    ['an address with a trailing dot', '10.0.0.1.'],
    ['a numeric last label', 'a.example.123'],
    ['an IPv6 address', '::1'],
    ['a port', 'a.example:443'],
    ['a percent escape', 'a%2eexample'],
    ['a slash', 'a/b'],
    ['an at sign', 'a@b.example'],
    ['a comma, as printed SANs have', 'a.example, DNS:b.example'],
    ['a label of 64', `a${label63}.example`],
    ['a name of 254', `a${name253}`],
  ];
  for (const [what, text] of hostile) {
    it(`refuses ${what}`, () => {
      assert.equal(canonicalDnsName(text), undefined);
      assert.equal(dnsNameFromOctets(octets(text)), undefined);
      assert.equal(isCanonicalDnsName(text), false);
    });
  }

  it('refuses characters that lower-casing would turn into ASCII', () => {
    assert.equal(canonicalDnsName('\u212A8s.example'), undefined); // the Kelvin sign
    assert.equal(canonicalDnsName('\uFF4B8s.example'), undefined); // fullwidth k
    assert.equal(canonicalDnsName('a\u3002example'), undefined); // ideographic full stop
  });

  it('is idempotent, and canonical is what it calls canonical', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aBz09-.xn_*\0 é'), maxLength: 24 });
    fc.assert(
      fc.property(text, (candidate) => {
        const name = canonicalDnsName(candidate);
        if (name !== undefined) {
          assert.equal(canonicalDnsName(name), name);
          assert.ok(isCanonicalDnsName(name));
        }
        if (isCanonicalDnsName(candidate)) assert.equal(name, candidate);
      }),
      { seed: 1, numRuns: 3_000 },
    );
  });
});

describe('email addresses of operators', () => {
  it('keeps the local part and lower-cases the domain', () => {
    assert.equal(canonicalEmail('Ada.Lovelace+ops@Example.COM'), 'Ada.Lovelace+ops@example.com');
    assert.equal(emailFromOctets(octets('ada@localhost')), 'ada@localhost');
  });
  const hostile = [
    '',
    '@example.com',
    'ada@',
    'ada',
    'a@b@example.com',
    '.ada@example.com',
    'ada.@example.com',
    'a..b@example.com',
    '"ada"@example.com',
    'ada @example.com',
    'ada\0@example.com',
    'ada@example.com\n',
    'ada@[10.0.0.1]',
    'ada@10.0.0.1',
    'ada@*.example.com',
    '*@example.com',
    'ada@example.com.',
    'Ada <ada@example.com>',
    'ad\xe4@example.com',
    `${'a'.repeat(65)}@example.com`,
    `a@${name253}`,
  ];
  for (const text of hostile) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.equal(emailFromOctets(octets(text)), undefined);
    });
  }
});

describe('SPIFFE URIs', () => {
  const read = (text: string) => readSpiffeUri(octets(text), 'fleet.example');

  it('reads exactly the two forms', () => {
    assert.deepEqual(read('spiffe://fleet.example/cluster/one.k8s.example.com'), {
      status: 'identity',
      identity: { kind: 'cluster', dns: 'one.k8s.example.com' },
    });
    assert.deepEqual(read('SPIFFE://Fleet.Example/operator/Ada'), {
      status: 'identity',
      identity: { kind: 'operator', uri: 'spiffe://fleet.example/operator/Ada' },
    });
  });

  for (const text of [
    'https://fleet.example/cluster/one.example',
    'spiffe://other.example/cluster/one.example',
    'spiffe://sub.fleet.example/cluster/one.example',
    'urn:x',
    '',
  ]) {
    it(`passes over ${JSON.stringify(text)}`, () => assert.equal(read(text).status, 'foreign'));
  }

  for (const text of [
    'spiffe:',
    'spiffe:/fleet.example/cluster/a.example',
    'spiffe://',
    'spiffe:///cluster/a.example',
    'spiffe://fleet.example',
    'spiffe://fleet.example/',
    'spiffe://fleet.example/cluster',
    'spiffe://fleet.example/cluster/',
    'spiffe://fleet.example//cluster/a.example',
    'spiffe://fleet.example/cluster/a.example/',
    'spiffe://fleet.example/cluster/a.example/b',
    'spiffe://fleet.example/cluster/../operator/ada',
    'spiffe://fleet.example/cluster/.',
    'spiffe://fleet.example/operator/..',
    'spiffe://fleet.example/operator/',
    'spiffe://fleet.example/operator/ada%2f',
    'spiffe://fleet.example/operator/ada?x',
    'spiffe://fleet.example/operator/ada#x',
    'spiffe://fleet.example/cluster/A.example',
    'spiffe://fleet.example/cluster/a.example.',
    'spiffe://fleet.example/cluster/*.example',
    'spiffe://fleet.example/Cluster/a.example',
    'spiffe://fleet.example/agent/a.example',
    'spiffe://fleet.example:443/cluster/a.example',
    'spiffe://user@fleet.example/cluster/a.example',
    'spiffe://fleet.example./cluster/a.example',
    'spiffe://fleet.example/cluster/a.example\0',
    'spiffe://fleet.example\\/cluster/a.example',
    'spiffe://f\xfc.example/cluster/a.example',
    `spiffe://fleet.example/operator/${'a'.repeat(129)}`,
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => assert.equal(read(text).status, 'malformed'));
  }
});
