import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { type AuditRow, createChainCheck, GENESIS, hashRow } from '../../../src/core/audit/chain.ts';
import { isSignedBy, signHead } from '../../../src/core/audit/head.ts';

function chainOf(documents: readonly string[]): AuditRow[] {
  let previous = GENESIS;
  return documents.map((document, index) => {
    const hash = hashRow(previous, index + 1, document);
    previous = hash;
    return { sequence: index + 1, document, hash };
  });
}

/** The first row that is wrong, and why. */
function firstProblem(rows: readonly AuditRow[]): ReturnType<ReturnType<typeof createChainCheck>['check']> {
  const chain = createChainCheck();
  for (const row of rows) {
    const problem = chain.check(row);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const ROWS = chainOf(['{"event":"started"}', '{"event":"denied","count":2}', '{"event":"stopped"}']);

test('a whole chain has no problem, and ends where it ends', () => {
  const chain = createChainCheck();
  assert.deepEqual(chain.end, { sequence: 0, hash: GENESIS });
  for (const row of ROWS) assert.equal(chain.check(row), undefined);
  assert.deepEqual(chain.end, { sequence: 3, hash: ROWS[2]?.hash });
});

test('every single bit of every row counts, and its row is named', () => {
  for (const [index, row] of ROWS.entries()) {
    for (const field of ['document', 'hash'] as const) {
      const bytes = Buffer.from(row[field], 'utf8');
      for (let at = 0; at < bytes.length; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const changed = Buffer.from(bytes);
          changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
          const rows = ROWS.with(index, { ...row, [field]: changed.toString('latin1') });
          assert.equal(firstProblem(rows)?.sequence, row.sequence, `${field} ${at}.${bit}`);
        }
      }
    }
  }
});

test('what was taken out is named, be it one row or several', () => {
  assert.deepEqual(firstProblem([ROWS[0], ROWS[2]] as AuditRow[]), {
    sequence: 2,
    problem: 'row 2 is missing',
  });
  assert.deepEqual(firstProblem([ROWS[2]] as AuditRow[]), {
    sequence: 1,
    problem: 'rows 1 to 2 are missing',
  });
});

test('rows that changed places are found, with their numbers and without', () => {
  const [one, two, three] = ROWS as [AuditRow, AuditRow, AuditRow];
  assert.equal(firstProblem([one, three, two])?.sequence, 2);
  const renumbered = [one, { ...three, sequence: 2 }, { ...two, sequence: 3 }];
  assert.match(firstProblem(renumbered)?.problem ?? '', /row 2 is not what was written there/);
});

test('a row that is inserted with a right hash of its own breaks what follows', () => {
  const forged = chainOf(['{"event":"started"}', '{"event":"forged"}']);
  assert.equal(firstProblem([...forged, ROWS[2] as AuditRow])?.sequence, 3);
});

for (const [name, pair] of [
  ['Ed25519', generateKeyPairSync('ed25519')],
  ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
] as const) {
  test(`a head is signed with ${name}, all of it`, () => {
    const end = { sequence: 3, hash: ROWS[2]?.hash ?? '' };
    const head = signHead(end, '2026-11-21T00:00:00.000Z', pair.privateKey);
    assert.ok(isSignedBy(head, pair.publicKey));
    for (const changed of [
      { ...head, sequence: 2 },
      { ...head, hash: ROWS[1]?.hash ?? '' },
      { ...head, at: '2026-11-22T00:00:00.000Z' },
      { sequence: head.sequence, hash: head.hash, at: head.at },
    ]) {
      assert.ok(!isSignedBy(changed, pair.publicKey));
    }
    assert.ok(!isSignedBy(head, generateKeyPairSync('ed25519').publicKey), 'another key');
    assert.equal('signature' in signHead(end, head.at, undefined), false);
  });
}
