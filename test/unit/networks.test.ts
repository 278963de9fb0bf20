import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StartupError } from '../../src/core/errors.ts';
import { addressKey, canonicalAddress, parseNamedNetworks, parseNetworks } from '../../src/core/networks.ts';

describe('networks', () => {
  const networks = parseNetworks('10.0.0.0/8, 192.168.1.7,fd00::/8, 2001:db8::1', 'OPERATOR_NETWORKS');

  for (const [address, inside] of [
    ['10.1.2.3', true],
    ['11.1.2.3', false],
    ['192.168.1.7', true],
    ['192.168.1.8', false],
    ['::ffff:10.1.2.3', true],
    ['::ffff:a01:203', true],
    ['::ffff:11.1.2.3', false],
    ['fd12::1', true],
    ['fe80::1%eth0', false],
    ['fd12::1%eth0', true],
    ['2001:db8::1', true],
    ['2001:db8::2', false],
    ['::10.1.2.3', false],
    ['64:ff9b::10.1.2.3', false],
    ['unknown', false],
    ['', false],
    ['10.1', false],
    ['0xa.1.2.3', false],
    ['012.1.2.3', false],
  ] as const) {
    it(`${inside ? 'hold' : 'do not hold'} ${address || 'nothing'}`, () => {
      assert.equal(networks.contains(address), inside);
    });
  }

  for (const text of [
    '',
    ',',
    '10.0.0.0/8,',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0/8',
    'fd00::/129',
    'a',
    '10.0.0.0/ 8',
    'fe80::1%eth0/64',
    '10.0.0.0/',
    '10.0.0.0/8;',
  ]) {
    it(`cannot be made of "${text}"`, () => {
      assert.throws(
        () => parseNetworks(text, 'OPERATOR_NETWORKS'),
        (error: unknown) => {
          assert.ok(error instanceof StartupError);
          return error.message.startsWith('OPERATOR_NETWORKS: ');
        },
      );
    });
  }

  it('spell an address in one way', () => {
    assert.equal(canonicalAddress('::ffff:127.0.0.1'), '127.0.0.1');
    assert.equal(canonicalAddress('FE80:0::1%2'), 'fe80::1');
    assert.equal(canonicalAddress('localhost'), undefined);
  });

  it('take an IPv4-mapped range for what it is', () => {
    const mapped = parseNetworks('::ffff:10.0.0.0/104', 'OPERATOR_NETWORKS');
    assert.equal(mapped.contains('10.1.2.3'), true);
    assert.equal(mapped.contains('::ffff:10.1.2.3'), true);
    assert.equal(mapped.contains('11.1.2.3'), false);
  });

  it('count IPv4 by address and IPv6 by its /64', () => {
    assert.equal(addressKey('192.0.2.7'), '192.0.2.7');
    assert.equal(addressKey('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
    assert.equal(addressKey('2001:db8:1:2::'), '2001:db8:1:2::/64');
    assert.equal(addressKey('2001:db8::1'), '2001:db8:0:0::/64');
    assert.equal(addressKey('unknown'), 'unknown');
  });
});

describe('named networks', () => {
  const networks = parseNamedNetworks(
    'wide=10.0.0.0/8, ci=10.1.0.0/16,192.0.2.0/24,ci=fd00::/8,10.1.2.0/24',
    'OPERATOR_NETWORKS',
  );

  for (const [address, name] of [
    ['10.9.9.9', 'wide'],
    ['10.1.9.9', 'ci'],
    ['10.1.2.9', '10.1.2.0/24'],
    ['::ffff:10.1.9.9', 'ci'],
    ['192.0.2.200', '192.0.2.0/24'],
    ['fd00::1', 'ci'],
    ['192.0.3.1', undefined],
    ['unknown', undefined],
  ] as const) {
    it(`call the network of ${address} ${name ?? 'nothing'}`, () => {
      assert.equal(networks.nameOf(address), name);
      assert.equal(networks.contains(address), name !== undefined);
    });
  }

  for (const text of [
    '',
    'CI=10.0.0.0/8',
    '=10.0.0.0/8',
    '1ci=10.0.0.0/8',
    'ci=',
    'ci==10.0.0.0/8',
    'a b=10.0.0.0/8',
    'ci=office=10.0.0.0/8',
    'ci=10.0.0.0/33',
    `${'a'.repeat(64)}=10.0.0.0/8`,
    '10.0.0.0/8=ci',
  ]) {
    it(`cannot be made of "${text}"`, () => {
      assert.throws(
        () => parseNamedNetworks(text, 'OPERATOR_NETWORKS'),
        /^StartupError: OPERATOR_NETWORKS: /,
      );
    });
  }
});

describe('the canonical spelling of an address', () => {
  for (const text of ['0.0.0.0', '9.10.99.100', '199.200.249.255', '127.0.0.1']) {
    it(`of ${text} is itself`, () => assert.equal(canonicalAddress(text), text));
  }
  for (const text of [
    '256.1.1.1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.4\n',
    ' 1.2.3.4',
    '1.2.3.',
    '1.2.3.1e1',
    '٣.2.3.4',
  ]) {
    it(`is not there for ${JSON.stringify(text)}`, () => assert.equal(canonicalAddress(text), undefined));
  }
});
