import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { temporaryDatabase } from './temporary.ts';

const WRITER = fileURLToPath(new URL('crashing-writer.ts', import.meta.url));

/** Kills the writer with SIGKILL when it says `line`; resolves to the number of the last commit that it acknowledged. */
async function crashAt(url: string, line: string): Promise<number> {
  const writer = spawn(process.execPath, [WRITER, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(writer, 'exit');
  let acknowledged = -1;
  for await (const said of createInterface({ input: writer.stdout })) {
    if (said.startsWith('done ')) acknowledged = Number(said.slice(5));
    if (said === line) writer.kill('SIGKILL');
  }
  assert.deepEqual((await exited)[1], 'SIGKILL');
  return acknowledged;
}

for (const line of ['half 0', 'half 7', 'done 5']) {
  test(`kill -9 at "${line}": nothing acknowledged is lost, nothing half written is there`, async (t) => {
    const { url } = temporaryDatabase(t);
    const acknowledged = await crashAt(url, line);
    const store = await openSqliteStore(url);
    t.after(() => store.close());
    const { items } = await store.reader.list('cluster', { filters: {}, limit: 1_000, offset: 0 });
    const ids = items.map(({ id }) => id);
    for (let n = 0; n <= acknowledged; n++)
      assert.ok(ids.includes(`whole-${n}`) && ids.includes(`pair-${n}`), `${n}`);
    const numbers = (prefix: string): number[] =>
      ids
        .filter((id) => id.startsWith(prefix))
        .map((id) => Number(id.slice(prefix.length)))
        .sort((a, b) => a - b);
    assert.deepEqual(numbers('whole-'), numbers('pair-'));
    // At most the one commit whose acknowledgement the kill cut off.
    assert.ok(items.length / 2 - (acknowledged + 1) <= 1);
    assert.equal(await store.isInitialised(), items.length > 0);
  });
}
