import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { printable } from '../../../src/core/identity/printable.ts';
import { shownSubject } from '../../../src/core/identity/shown-subject.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { ca, leaf } from './pki.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe("a stranger's subject", () => {
  it('is told of a certificate of ordinary size, and of none that is large enough to be work', async () => {
    const { der } = await leaf(await ca('root'));
    assert.match(shownSubject(der) ?? '', /^CN=/);
    const padded = new Uint8Array(LIMITS.shownCertificateOctetsMax + 1);
    padded.set(der);
    assert.equal(shownSubject(padded), undefined);
    // The octets behind it are nothing to OpenSSL: it is for its size that the other one is not read.
    assert.match(shownSubject(padded.subarray(0, LIMITS.shownCertificateOctetsMax)) ?? '', /^CN=/);
  });

  it('keeps nothing in memory of what was cut off', () => {
    const CHARACTERS = 60_000;
    const shown: string[] = [];
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 400; n++) shown.push(printable(Buffer.alloc(CHARACTERS, `a${n} `).toString()));
    collect();
    const octets = (process.memoryUsage().heapUsed - before) / shown.length;
    assert.ok(octets < CHARACTERS / 10, `${Math.round(octets)} octets for each`);
    assert.ok(shown.every((text) => text.length === 256 && text.endsWith('…')));
  });
});
