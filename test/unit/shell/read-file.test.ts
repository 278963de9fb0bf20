import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readRegularFile, UnreadableFile } from '../../../src/shell/read-file.ts';

const MiB = 1_048_576;

describe('a regular file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-read-'));
  const path = join(directory, 'file');
  it('is read whole, up to its bound and not beyond', async () => {
    await writeFile(path, 'abc');
    assert.equal((await readRegularFile(path, 3)).toString(), 'abc');
    await assert.rejects(
      readRegularFile(path, 2),
      (error) => error instanceof UnreadableFile && error.kind === 'too_large',
    );
    await writeFile(path, '');
    assert.equal((await readRegularFile(path, 3)).length, 0);
  });

  const skip = process.platform === 'linux' ? false : 'looks into /proc for the moment at which it is open';
  it('that grows while it is read is refused: it is half written', { skip }, async () => {
    await writeFile(path, '');
    await truncate(path, 64 * MiB);
    const isOpen = (): boolean =>
      readdirSync('/proc/self/fd').some((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === path;
        } catch {
          return false;
        }
      });
    let refused = 0;
    // Whether it is read or only open by then is a race; to lose it this often is not.
    for (let tries = 0; tries < 50 && refused < 3; tries++) {
      const reading = readRegularFile(path, 128 * MiB).then(
        (octets) => octets.length,
        (error: unknown) => error,
      );
      while (!isOpen()) await new Promise((resolve) => setImmediate(resolve));
      for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
      appendFileSync(path, 'more');
      const result = await reading;
      if (result instanceof UnreadableFile && /changed while/.test(result.message)) refused++;
    }
    assert.equal(refused, 3);
    await rm(directory, { recursive: true });
  });
});
