import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from 'better-sqlite3';
import { openDatabase } from '../../../src/shell/store/database.ts';
import { readPins } from '../../../src/shell/store/pin-pages.ts';
import { pinsIn } from './pins-in.ts';

test('pages of pins are all pins, each once, in the order of their names, however they were written', () => {
  const { writer } = openDatabase('sqlite::memory:');
  const insert = writer.prepare('INSERT INTO key_pins (cluster_dns, document) VALUES (?, ?)');
  const written = new Map<string, string>();
  assert.deepEqual(readPins(writer), []);
  for (const most of [1, 249, 250, 251, 500, 1_000]) {
    for (let n = written.size; n < most; n++) {
      const name = `cluster-${(n * 7_919) % 10_007}.example`;
      written.set(name, `{\n\t"spkiSha256": "${n}", "name": "ü"\r\n}`);
      insert.run(name, written.get(name));
    }
    const pages = readPins(writer);
    assert.equal(pages.length, Math.ceil(most / 250));
    const read = pinsIn(pages);
    assert.deepEqual([...read.keys()], [...written.keys()].sort());
    for (const [name, document] of written) assert.equal(read.get(name), document);
  }
  writer.close();
});

test('pages that lead round in circles, as in a damaged file, are no pins', () => {
  for (const rows of [
    [[250, 'a.example', 'b.example', Buffer.from('x')]],
    [
      [250, 'a.example', 'd.example', Buffer.from('x')],
      [250, 'b.example', 'e.example', Buffer.from('x')],
    ],
    [[1, '', '', Buffer.from('x')]],
  ]) {
    let page = 0;
    const get = (): unknown => rows[page++ % rows.length];
    const database = { prepare: () => ({ raw: () => ({ get }) }) } as unknown as Database;
    assert.throws(() => {
      assert.ok(page < 10);
      readPins(database);
    }, /^Error: these are no pins$/);
    assert.ok(page <= 2);
  }
});
