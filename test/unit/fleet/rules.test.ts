import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duplicateIds, unsafeText } from '../../../src/core/fleet/rules.ts';

test('ordinary text of any language is safe', () => {
  assert.deepEqual(
    unsafeText({ a: ['Zürich', '東京', '😀', '', 'a b"\'{{ }}'], b: { c: true, d: 3, e: null } }),
    [],
  );
});

test('every kind of control character and line break is found, in values and in keys, where it stands', () => {
  for (const code of [0x00, 0x09, 0x0a, 0x0d, 0x1f, 0x7f, 0x85, 0x9f, 0x2028, 0x2029]) {
    const text = `a${String.fromCharCode(code)}b`;
    assert.deepEqual(unsafeText({ list: ['fine', { field: text }] }), [
      { field: '/list/1/field', problem: 'must not hold control characters or line breaks' },
    ]);
    assert.deepEqual(unsafeText({ map: { [text]: 'fine' } }), [
      { field: `/map/${text}`, problem: 'has a key that must not hold control characters or line breaks' },
    ]);
  }
});

test('half a surrogate pair is found', () => {
  assert.deepEqual(unsafeText({ a: 'x\udc00' }), [
    { field: '/a', problem: 'must not hold half a surrogate pair: send valid Unicode' },
  ]);
});

test('a key __proto__ is found, whatever the schema says of it', () => {
  assert.deepEqual(unsafeText(JSON.parse('{"labels":{"__proto__":"x"}}')), [
    { field: '/labels/__proto__', problem: 'is not a usable name: choose another key' },
  ]);
});

test('each repetition of an id is named, with where it was first', () => {
  assert.deepEqual(
    duplicateIds('namespaces', ['a', 'b', 'a', 'a'], 'id').map(({ field, problem }) => [
      field,
      problem.slice(0, 39),
    ]),
    [
      ['/namespaces/2/id', 'must not repeat the id of namespaces/0:'],
      ['/namespaces/3/id', 'must not repeat the id of namespaces/0:'],
    ],
  );
  assert.deepEqual(duplicateIds('depends_on', ['__proto__', 'constructor']), []);
});
