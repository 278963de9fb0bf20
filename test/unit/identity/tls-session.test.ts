import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { factsOfSession } from '../../../src/core/identity/tls-session.ts';

const value = (tag: number, ...content: readonly number[]): number[] => {
  assert.ok(content.length < 0x100);
  return [tag, ...(content.length < 0x80 ? [] : [0x81]), content.length, ...content];
};
const SECRET = value(0x04, ...new Array<number>(48).fill(0xb3));
/** As OpenSSL writes it: versions, cipher, session id, master secret, times, the peer; the group last. */
const session = (...group: readonly number[]): Uint8Array => {
  const before = [
    ...value(0x02, 1),
    ...value(0x02, 0x03, 0x04),
    ...value(0x04, 0x13, 0x01),
    ...value(0x04),
    ...SECRET,
    ...value(0xa1, ...value(0x02, 0x6a)),
    ...value(0xa3, ...value(0x30, ...new Array<number>(200).fill(0x17))),
    ...group,
  ];
  return Uint8Array.from([0x30, 0x82, before.length >> 8, before.length & 0xff, ...before]);
};
const group = (...integer: readonly number[]): number[] => value(0xb3, ...value(0x02, ...integer));

const groupOfSession = (octets: Uint8Array): string => factsOfSession(octets).group;

describe('the group of a session', () => {
  for (const [octets, name] of [
    [[0x17], 'secp256r1'],
    [[0x18], 'secp384r1'],
    [[0x1d], 'x25519'],
    [[0x11, 0xeb], 'SecP256r1MLKEM768'],
    [[0x11, 0xec], 'X25519MLKEM768'],
    [[0x16], 'other'],
    [[0x01, 0x00], 'other'],
    [[0x00, 0xff, 0xff, 0xff, 0xff], 'other'],
    [[0x00, 0x80], 'other'],
  ] as const) {
    it(`says ${name} of ${Buffer.from(octets).toString('hex')}`, () => {
      assert.equal(groupOfSession(session(...group(...octets))), name);
      assert.equal(
        groupOfSession(session(...group(...octets), ...value(0xb4, 1))),
        name,
        'and a field behind it',
      );
    });
  }

  it('says none where there is none, and none of what is not strictly a group', () => {
    for (const [what, octets] of Object.entries({
      'no group': session(),
      nothing: new Uint8Array(),
      'no sequence': Uint8Array.from(value(0x31, ...group(0x17))),
      'trailing octets': Uint8Array.from([...session(...group(0x17)), 0]),
      'cut off': session(...group(0x17)).subarray(0, -1),
      'two groups': session(...group(0x17), ...group(0x18)),
      'two integers': session(...value(0xb3, ...value(0x02, 0x17), ...value(0x02, 0x17))),
      'no integer': session(...value(0xb3, ...value(0x04, 0x17))),
      'empty group': session(...value(0xb3)),
      'empty integer': session(...group()),
      negative: session(...group(0x97)),
      padded: session(...group(0x00, 0x17)),
      'too large': session(...group(0x01, 0, 0, 0, 0, 0x17)),
      'a group inside another field': session(...value(0xa5, ...group(0x17))),
    })) {
      assert.equal(groupOfSession(octets), 'none', what);
    }
  });

  it('never throws, and changes nothing that it is given', () => {
    const whole = session(...group(0x11, 0xec));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, octet, length) => {
        const spoilt = whole.slice(0, length);
        if (at < length) spoilt[at] = octet;
        const before = Buffer.from(spoilt).toString('hex');
        assert.match(groupOfSession(spoilt), /^\w+$/);
        assert.equal(Buffer.from(spoilt).toString('hex'), before);
      }),
    );
  });
});

describe('the certificate of a session', () => {
  const certificate = (...der: readonly number[]): number[] => value(0xa3, ...der);
  const DER = value(0x30, ...value(0x02, 0x2a));
  const only = (...fields: readonly number[]): Uint8Array =>
    Uint8Array.from(value(0x30, ...value(0x02, 1), ...SECRET, ...fields));

  it('is what the peer proved to hold the key of, to the octet, and a view', () => {
    const octets = only(...certificate(...DER), ...group(0x17));
    const { certificate: found, group: name } = factsOfSession(octets);
    assert.deepEqual(
      [Buffer.from(found ?? []).toString('hex'), name],
      [Buffer.from(DER).toString('hex'), 'secp256r1'],
    );
    assert.equal(found?.buffer, octets.buffer);
  });

  it('is none where there is none, and nothing is told of octets that are not strictly a session', () => {
    const { certificate: none, group: name } = factsOfSession(only(...group(0x17)));
    assert.deepEqual([none, name], [undefined, 'secp256r1'], 'no certificate');
    const whole = only(...certificate(...DER), ...group(0x17));
    for (const [what, octets] of Object.entries({
      'two certificates': only(...certificate(...DER), ...certificate(...DER), ...group(0x17)),
      'two in one field': only(...certificate(...DER, ...DER), ...group(0x17)),
      'no sequence': only(...certificate(...value(0x31, ...value(0x02, 0x2a))), ...group(0x17)),
      'octets behind it': only(...certificate(...DER, 0), ...group(0x17)),
      'cut off': whole.subarray(0, -1),
      'trailing octets': Uint8Array.from([...whole, 0]),
      'no group that is one': only(...certificate(...DER), ...group()),
    })) {
      assert.deepEqual(factsOfSession(octets), { group: 'none', certificate: undefined }, what);
    }
  });
});
