import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../src/core/limits.ts';
import { canonicalAddress } from '../../src/core/networks.ts';
import { PROXY_REFUSALS, type ProxyHeader, readProxyHeader } from '../../src/core/proxy-protocol.ts';

const directory = new URL('../corpus/proxy/', import.meta.url);

interface Case {
  readonly name: string;
  readonly says: string;
  readonly octets: Buffer;
}

/** The first line says what must become of it, lines with # say why, the others are octets in hex. */
const CASES: readonly Case[] = readdirSync(directory)
  .sort()
  .map((name) => {
    const [says = '', ...lines] = readFileSync(new URL(name, directory), 'utf8').trim().split('\n');
    const octets = Buffer.from(lines.filter((line) => !line.startsWith('#')).join(''), 'hex');
    return { name, says, octets };
  });

function describeHeader(header: ProxyHeader): string {
  if (header.state === 'incomplete') return 'Incomplete';
  if (header.state === 'refused') return `Refused: ${header.reason}`;
  return `Complete: ${header.source ?? 'own'}`;
}

describe('each header of the corpus becomes what its first line says', () => {
  it('has all of them', () => assert.ok(CASES.length >= 75, String(CASES.length)));

  for (const { name, says, octets } of CASES) {
    it(`${name}: ${says}`, () => {
      const header = readProxyHeader(octets);
      assert.equal(describeHeader(header), says);
      if (header.state === 'complete') assert.equal(header.octets, octets.length);
    });
  }

  it('holds every reason there is to refuse a header, but that of time', () => {
    const seen = new Set(CASES.map(({ says }) => says.replace('Refused: ', '')));
    for (const reason of PROXY_REFUSALS) assert.ok(reason === 'incomplete' || seen.has(reason), reason);
  });
});

describe('however a header is split', () => {
  it('each beginning is incomplete, or refused for what the whole is refused for', () => {
    for (const { name, octets } of CASES) {
      const whole = readProxyHeader(octets);
      const end = whole.state === 'complete' ? whole.octets : octets.length;
      for (let length = 0; length < end; length++) {
        const part = readProxyHeader(octets.subarray(0, length));
        if (part.state === 'incomplete') continue;
        assert.deepEqual(part, whole, `${name}, the first ${length} octets`);
      }
    }
  });

  it('what follows it changes nothing', () => {
    for (const { name, octets } of CASES) {
      const whole = readProxyHeader(octets);
      if (whole.state !== 'complete') continue;
      for (const more of ['\r\n', 'PROXY UNKNOWN\r\n', '\x16\x03\x01', '\0']) {
        assert.deepEqual(readProxyHeader(Buffer.concat([octets, Buffer.from(more, 'latin1')])), whole, name);
      }
    }
  });
});

describe('whatever the octets are', () => {
  const check = (octets: Uint8Array): void => {
    const header = readProxyHeader(octets);
    if (header.state === 'incomplete') {
      assert.ok(octets.length < LIMITS.proxyHeaderOctetsMax, 'it never waits for more than the bound');
    } else if (header.state === 'complete') {
      assert.ok(header.octets <= Math.min(octets.length, LIMITS.proxyHeaderOctetsMax));
      if (header.source !== undefined) assert.equal(canonicalAddress(header.source), header.source);
    } else assert.ok(PROXY_REFUSALS.includes(header.reason));
  };

  it('the answer is bounded and canonical', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 8_192 }), check));
  });

  it('nor does a header with changed octets break that', () => {
    const changes = fc.array(fc.tuple(fc.nat(4_200), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...CASES), changes, fc.nat(4_200), ({ octets }, changed, length) => {
        const bent = Buffer.from(octets);
        for (const [at, octet] of changed) bent[at % bent.length] = octet;
        check(bent.subarray(0, length));
      }),
      { numRuns: 2_000 },
    );
  });

  it('an address that a proxy names comes out as it went in', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(65_535), (address, port) => {
        const canonical = canonicalAddress(address);
        fc.pre(canonical !== undefined);
        const family = address.includes(':') ? 'TCP6' : 'TCP4';
        const line = `PROXY ${family} ${address} ${address} ${port} 8443\r\n`;
        fc.pre(line.length <= 107);
        const header = readProxyHeader(Buffer.from(line, 'latin1'));
        assert.deepEqual(header, { state: 'complete', octets: line.length, source: canonical });
      }),
    );
  });
});
