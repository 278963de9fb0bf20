import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readlink, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { operator } from '../support/poll.ts';
import { fluxgate } from '../support/spawned.ts';

const linkedTo = (directory: string) => ({
  link: join(directory, 'fleet.db'),
  volume: join(directory, 'volume'),
  real: join(directory, 'volume', 'real.db'),
});

/** DATABASE_URL is a link to a file on a volume of its own. */
async function startLinked(t: Parameters<typeof startTestGateway>[0]): Promise<TestGateway> {
  return await startTestGateway(t, {
    prepare: async (directory) => {
      const { link, volume, real } = linkedTo(directory);
      await mkdir(volume);
      await symlink(real, link);
      return {};
    },
  });
}

describe('a store whose path is a symlink', () => {
  it('is restored on its own volume, and what was there before is kept there', async (t) => {
    const gateway = await startLinked(t);
    const { link, volume, real } = linkedTo(gateway.directory);
    const database = `sqlite://${link}`;
    const copy = join(gateway.directory, 'backup');
    const before = await gateway.fleet();
    assert.equal((await fluxgate(t, ['backup', '--database', database, '--to', copy]).ended).code, 0);
    assert.equal((await operator(gateway)('POST', '/namespaces', { id: 'late' })).status, 201);
    const later = await gateway.fleet();
    await gateway.gateway.close();
    const { ino } = await stat(real);

    const restored = await fluxgate(t, ['restore', '--database', database, '--from', copy]).ended;
    assert.deepEqual([restored.code, restored.stderr], [0, '']);
    assert.ok(restored.stdout.startsWith(`restored ${real} from ${copy}\n`), restored.stdout);
    assert.ok((await lstat(link)).isSymbolicLink(), 'the link is one still');
    assert.equal(await readlink(link), real);
    assert.deepEqual((await readdir(volume)).toSorted(), ['real.db', 'real.db.replaced']);
    assert.notEqual((await stat(real)).ino, ino);
    assert.ok((await lstat(`${real}.replaced`)).isFile());
    const beside = (await readdir(gateway.directory)).filter((name) =>
      /restoring|replaced|-wal|-shm/.test(name),
    );
    assert.deepEqual(beside, []);

    for (const [url, fleet] of [
      [database, before],
      [`sqlite://${real}`, before],
      [`sqlite://${real}.replaced`, later],
    ] as const) {
      const again = await startTestGateway(t, { environment: { DATABASE_URL: url } });
      assert.equal(await again.fleet(), fleet, url);
      await again.gateway.close();
    }
  });

  it('is not restored where the link leads nowhere, and nothing is made', async (t) => {
    const gateway = await startTestGateway(t);
    const { directory } = gateway;
    const copy = join(directory, 'backup');
    const store = join(directory, 'fleet.db');
    await fluxgate(t, ['backup', '--database', `sqlite://${store}`, '--to', copy]).ended;
    const link = join(directory, 'link.db');
    await symlink(join(directory, 'gone', 'real.db'), link);
    const circle = join(directory, 'circle.db');
    await symlink(circle, circle);
    const before = (await readdir(directory)).toSorted();
    for (const path of [link, circle]) {
      const refused = await fluxgate(t, ['restore', '--database', `sqlite://${path}`, '--from', copy]).ended;
      assert.equal(refused.code, 78);
      assert.match(
        refused.stderr,
        /^fluxgate: \S+ is a symlink to \S+, where nothing is to be found \(E\w+\).*; nothing was changed\n$/,
      );
      assert.deepEqual((await readdir(directory)).toSorted(), before);
    }
  });

  it('is not restored where a part of its way is a file', async (t) => {
    const gateway = await startTestGateway(t);
    const { directory } = gateway;
    const copy = join(directory, 'backup');
    await fluxgate(t, ['backup', '--database', `sqlite://${join(directory, 'fleet.db')}`, '--to', copy])
      .ended;
    const path = join(copy, 'fleet.db');
    const refused = await fluxgate(t, ['restore', '--database', `sqlite://${path}`, '--from', copy]).ended;
    assert.equal(refused.code, 78);
    assert.equal(
      refused.stderr,
      `fluxgate: ${path} cannot be a file's name (ENOTDIR): nothing was changed\n`,
    );
  });

  it('is no backup while a gateway has it open', async (t) => {
    const gateway = await startLinked(t);
    const { link } = linkedTo(gateway.directory);
    assert.equal((await operator(gateway)('POST', '/namespaces', { id: 'late' })).status, 201);
    const other = join(gateway.directory, 'other.db');
    const refused = await fluxgate(t, ['restore', '--database', `sqlite://${other}`, '--from', link]).ended;
    assert.equal(refused.code, 78);
    assert.match(refused.stderr, /has a -wal beside it, so it is a live store: take a backup of it first/);
  });
});
