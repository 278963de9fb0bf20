import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { serveEnvironment } from '../cli/serve-environment.ts';
import { makeLargeStore } from '../support/large-store.ts';
import { fluxgate } from '../support/spawned.ts';

/** A store of more than 16 MiB is checked on a thread, which reads its pins, too: four descriptors and three connections in one process, which holds one lock. */
for (const workers of ['1', '2']) {
  test(`WORKERS=${workers}: it is in use, and says so, whether it was sealed or not`, async (t) => {
    const { directory, environment } = await serveEnvironment(t);
    const url = environment['DATABASE_URL'] ?? '';
    const path = await makeLargeStore(url);
    const backup = join(directory, 'fleet.backup');
    const copied = await fluxgate(t, ['backup', '--database', url, '--to', backup]).ended;
    assert.equal(copied.code, 0, copied.stderr);

    const isKeptOut = async (): Promise<void> => {
      const { code, stderr } = await fluxgate(t, ['restore', '--database', url, '--from', backup]).ended;
      assert.equal(code, 78, stderr);
      assert.match(stderr, /is in use: stop the gateway first; nothing was changed/);
    };
    for (const start of ['after another program', 'after itself']) {
      const gateway = fluxgate(t, ['serve'], {
        environment: { ...environment, ALLOW_ROOT: 'on', WORKERS: workers },
      });
      await gateway.said('"msg":"serving"');
      await isKeptOut();
      // Its thread has ended by then.
      await new Promise((resolve) => setTimeout(resolve, CHECK_MS));
      await isKeptOut();
      gateway.child.kill('SIGTERM');
      assert.equal((await gateway.ended).code, 0, start);
      assert.equal(readFileSync(`${path}-seal`, 'utf8') !== '', workers === '1', start);
    }
  });
}

const CHECK_MS = 1_000;
