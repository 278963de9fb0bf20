import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

/** One body of test/corpus/bodies, where it is sent, and what comes back. `field`: named in details. */
interface BodyCase {
  readonly file: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly error: string | null;
  readonly field?: string;
}

const CORPUS = new URL('../corpus/', import.meta.url);
const cases = JSON.parse(readFileSync(new URL('bodies.json', CORPUS), 'utf8')) as BodyCase[];
const bodyOf = (file: string): Buffer => readFileSync(new URL(`bodies/${file}`, CORPUS));

describe('bodies that are wrong in one way each', () => {
  const gateway = shareGateway();
  let fleetBefore = '';
  let storeBefore = '';

  /** Every row of every table, as SQLite has it. */
  function storeContent(): string {
    const database = new Database(join(gateway().directory, 'fleet.db'), { readonly: true });
    try {
      const tables = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .pluck()
        .all() as string[];
      return JSON.stringify(tables.map((name) => [name, database.prepare(`SELECT * FROM ${name}`).all()]));
    } finally {
      database.close();
    }
  }

  before(async () => {
    fleetBefore = await gateway().fleet();
    storeBefore = storeContent();
    assert.ok(storeBefore.length > 1_000);
  });

  it('has every file of the corpus in its manifest', () => {
    const files = readdirSync(new URL('bodies/', CORPUS)).sort();
    assert.deepEqual([...new Set(cases.map(({ file }) => file))].sort(), files);
  });

  for (const { file, method, path, status, error, field } of cases) {
    it(`${method} ${path} ${file}: ${status}`, async () => {
      const answer = await gateway().send({ method, path, body: bodyOf(file), token: WRITE_TOKEN });
      assert.equal(answer.status, status, answer.body.toString().slice(0, 500));
      if (error !== null) assert.equal(answer.json()['error'], error);
      if (field !== undefined) {
        const details = answer.json<{ details: { field: string }[] }>().details;
        assert.ok(
          details.some((detail) => detail.field === field),
          JSON.stringify(details),
        );
      }
      assert.ok(answer.body.byteLength < 65_536, 'an answer to nonsense is short');
      assert.equal(await storeContent(), storeBefore);
    });
  }

  it('leaves the prototypes alone', () => {
    assert.deepEqual(Object.keys(Object.prototype), []);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('leaves the fleet as it was, byte for byte', async () => {
    assert.equal(await gateway().fleet(), fleetBefore);
  });
});
