import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';

describe('an export', () => {
  it("into another fleet's directory is refused as an import of it is, and deletes nothing unless that is meant", async (t) => {
    const line = await startCommandLine(t);
    const dir = join(line.directory, 'fleet');
    const marker = join(dir, '.fluxgate.yaml');
    const own = join(dir, 'clusters', 'demo-cluster-01.yaml');
    const others = join(dir, 'clusters', 'of-another-fleet.yaml');
    assert.equal((await line.run(['export', '--dir', dir])).code, 0);
    assert.equal((await line.run(['export', '--dir', dir])).code, 0, 'over its own');
    const written = await readFile(marker, 'utf8');

    await writeFile(others, 'edited: here alone\n');
    await writeFile(own, 'edited: too\n');
    await writeFile(marker, written.replace(/^revision: .*/m, 'revision: 9'));
    const imported = await line.run(['import', '--dir', dir, '--mode', 'merge']);
    const refused = await line.run(['export', '--dir', dir]);
    assert.deepEqual([refused.code, imported.code], [8, 8]);
    assert.match(refused.stderr, /names revision 9, which this fleet does not know/);
    assert.match(refused.stderr, /would delete 1 file there \(clusters\/of-another-fleet\.yaml\)/);
    await rm(marker);
    assert.equal((await line.run(['export', '--dir', dir, '--yes'])).code, 78, 'no export at all');
    await writeFile(marker, 'not: a marker\n');
    assert.equal((await line.run(['export', '--dir', dir])).code, 8);
    assert.deepEqual(
      [await readFile(others, 'utf8'), await readFile(own, 'utf8')],
      ['edited: here alone\n', 'edited: too\n'],
    );

    assert.equal((await line.run(['export', '--dir', dir, '--yes'])).code, 0);
    await assert.rejects(readFile(others), { code: 'ENOENT' });
    assert.match(await readFile(own, 'utf8'), /^id: demo-cluster-01\n/);
    assert.equal(await readFile(marker, 'utf8'), written);
  });

  it('of a fleet without any of the objects there is refused', async (t) => {
    const line = await startCommandLine(t);
    const dir = join(line.directory, 'fleet');
    assert.equal((await line.run(['export', '--dir', dir])).code, 0);
    for (const kind of ['clusters', 'platform_components', 'namespaces', 'rolebindings']) {
      await rm(join(dir, kind), { recursive: true });
    }
    await mkdir(join(dir, 'clusters'));
    await writeFile(join(dir, 'clusters', 'demo-cluster-99.yaml'), 'id: demo-cluster-99\n');
    const refused = await line.run(['export', '--dir', dir]);
    assert.deepEqual(
      [refused.code, /this fleet has none of its objects[\s\S]*would delete 1 file/.test(refused.stderr)],
      [8, true],
      refused.stderr,
    );
    assert.equal(
      await readFile(join(dir, 'clusters', 'demo-cluster-99.yaml'), 'utf8'),
      'id: demo-cluster-99\n',
    );
  });
});
