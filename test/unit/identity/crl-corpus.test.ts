import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type CrlFacts, readCrl } from '../../../src/core/identity/crl.ts';
import { readCrlBlocks } from '../../../src/core/identity/crl-pem.ts';
import { CrlRefused } from '../../../src/core/identity/crl-refused.ts';
import { DerError } from '../../../src/core/identity/der.ts';
import { drive } from './crl-tools.ts';

const directory = new URL('../../corpus/crl/', import.meta.url);

/** The first line of each file says what must become of it; it is a comment to the reader of PEM, too. */
describe('each CRL of the corpus becomes what its first line says', () => {
  const names = readdirSync(directory).sort();
  it('has all of them', () => assert.ok(names.length >= 27));
  for (const name of names) {
    const octets = readFileSync(new URL(name, directory));
    const [says = ''] = octets.toString('latin1').split('\n', 1);
    it(`${name}: ${says}`, () => {
      const read = (): CrlFacts => {
        const [der = new Uint8Array()] = drive(readCrlBlocks(octets));
        return drive(readCrl(der));
      };
      const count = /^Read: (\d) entr/.exec(says)?.[1];
      if (count !== undefined) {
        const facts = read();
        assert.equal(facts.entries.count, Number(count));
        const entry = facts.entries.find('4101');
        assert.equal(entry?.reason, count === '0' ? undefined : 'keyCompromise');
        assert.equal(facts.entries.find('42'), undefined);
        return;
      }
      const reason = says.replace(/^Refused: /, '');
      assert.notEqual(reason, says);
      assert.throws(read, (error: unknown) => {
        assert.ok(error instanceof DerError || error instanceof CrlRefused, String(error));
        assert.ok(error.message.includes(reason), error.message);
        return true;
      });
    });
  }

  it('and nothing that is cut off anywhere is read', () => {
    const [der = new Uint8Array()] = drive(readCrlBlocks(readFileSync(new URL('good.pem', directory))));
    for (let length = 0; length < der.length; length += 1) {
      assert.throws(() => drive(readCrl(der.subarray(0, length))), DerError, `${length} octets`);
    }
  });
});
