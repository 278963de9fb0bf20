import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PinState } from '../../../src/core/identity/pins.ts';
import { createPinTable } from '../../../src/shell/pin-table.ts';
import { DOCUMENT_BEGINS, NAME_BEGINS, type StoredPins } from '../../../src/shell/store/pin-pages.ts';

const plain: PinState = { spkiSha256: 'aa', sinceMs: 1, retired: [], conflict: undefined };
const renewed: PinState = { ...plain, spkiSha256: 'bb', retired: [{ spkiSha256: 'aa', retiredMs: 5 }] };
const inConflict: PinState = {
  ...renewed,
  conflict: { spkiSha256: 'aa', sinceMs: 6, lastMs: 7, count: 2, newestUsedSince: true },
};
const states = { 'a.example': plain, 'b.example': renewed, 'c.example': inConflict };
/** In pages of two. */
const stored = (): StoredPins => {
  const pins = Object.entries(states);
  return [pins.slice(0, 2), pins.slice(2)].map((page) => ({
    first: page[0]?.[0] ?? '',
    count: page.length,
    octets: Buffer.from(
      page.map((pin) => `${NAME_BEGINS}${pin[0]}${DOCUMENT_BEGINS}${JSON.stringify(pin[1])}`).join(''),
    ),
  }));
};

test('what was stored is what is known, whoever asks first and again', () => {
  const pins = createPinTable(stored());
  assert.equal(pins.size, 3);
  for (const [name, state] of Object.entries(states)) {
    assert.ok(pins.has(name));
    assert.deepEqual(pins.get(name), state);
    // An unchanged state is the same object: that is how it is known to be unchanged.
    assert.equal(pins.get(name), pins.get(name));
  }
  for (const unknown of ['', 'a', 'aa.example', 'd.example', '.example', 'example', '{', '}']) {
    assert.equal(pins.get(unknown), undefined, unknown);
    assert.equal(pins.has(unknown), false, unknown);
  }
});

test('what was set or deleted is what is known, though it was stored otherwise', () => {
  const pins = createPinTable(stored());
  pins.set('a.example', renewed);
  pins.delete('b.example');
  pins.delete('nobody.example');
  pins.set('e.example', plain);
  const all = ['a.example', 'b.example', 'c.example', 'e.example'];
  assert.deepEqual(
    all.map((name) => pins.get(name)),
    [renewed, undefined, inConflict, plain],
  );
  assert.deepEqual([pins.has('b.example'), pins.size], [false, 3]);
  pins.set('b.example', plain);
  assert.deepEqual([pins.get('b.example'), pins.size], [plain, 4]);
  pins.delete('e.example');
  pins.delete('e.example');
  assert.equal(pins.size, 3);
});

test('conflicts are known before anybody has asked about their clusters', () => {
  const pins = createPinTable(stored());
  assert.deepEqual(pins.conflicts(), [['c.example', inConflict]]);
  pins.set('a.example', inConflict);
  pins.delete('c.example');
  assert.deepEqual(pins.conflicts(), [['a.example', inConflict]]);
  assert.equal(pins.size, 2);
});
