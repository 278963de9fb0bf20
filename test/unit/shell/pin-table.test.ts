import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PinState } from '../../../src/core/identity/pins.ts';
import { createPinTable } from '../../../src/shell/pin-table.ts';
import type { StoredPins } from '../../../src/shell/store/sightings.ts';

const plain: PinState = { spkiSha256: 'aa', sinceMs: 1, retired: [], conflict: undefined };
const renewed: PinState = { ...plain, spkiSha256: 'bb', retired: [{ spkiSha256: 'aa', retiredMs: 5 }] };
const inConflict: PinState = {
  ...renewed,
  conflict: { spkiSha256: 'aa', sinceMs: 6, lastMs: 7, count: 2, newestUsedSince: true },
};
const states = { 'a.example': plain, 'b.example': renewed, 'c.example': inConflict };
const stored = (): StoredPins =>
  new Map(Object.entries(states).map(([name, state]) => [name, JSON.stringify(state)]));

test('what was stored is what is known, whoever asks first and again', () => {
  const pins = createPinTable(stored());
  assert.equal(pins.size, 3);
  for (const [name, state] of Object.entries(states)) {
    assert.ok(pins.has(name));
    assert.deepEqual(pins.get(name), state);
    // An unchanged state is the same object: that is how it is known to be unchanged.
    assert.equal(pins.get(name), pins.get(name));
  }
  assert.equal(pins.get('d.example'), undefined);
});

test('conflicts are known before anybody has asked about their clusters', () => {
  const pins = createPinTable(stored());
  assert.deepEqual(pins.conflicts(), [['c.example', inConflict]]);
  pins.set('a.example', inConflict);
  pins.delete('c.example');
  assert.deepEqual(pins.conflicts(), [['a.example', inConflict]]);
  assert.equal(pins.size, 2);
});
