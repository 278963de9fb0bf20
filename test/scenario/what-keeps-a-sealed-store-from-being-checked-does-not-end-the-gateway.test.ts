import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import type { FileProblem } from '../../src/shell/store/problem.ts';
import { openSqliteStore } from '../../src/shell/store/sqlite-store.ts';
import { startTestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

/** A gateway that is told of its store's check opens one that is there. */
async function aStore(directory: string): Promise<Record<string, string>> {
  await (await openSqliteStore(`sqlite://${join(directory, 'fleet.db')}`)).close();
  return {};
}

it('descriptors that were short are no damage: it says so, serves, and tries again', async (t) => {
  const found: (FileProblem | undefined)[] = [
    { message: 'unable to open database file', code: 'SQLITE_CANTOPEN' },
    undefined,
  ];
  let looked = 0;
  const { gateway, log, send } = await startTestGateway(t, {
    prepare: aStore,
    storeCheck: Promise.resolve({
      problem: undefined,
      isWhole: () => false,
      confirm: () => Promise.resolve(found[looked++]),
    }),
  });
  let damage: Error | undefined;
  void gateway.damage.then((error) => {
    damage = error;
  });
  await until(() => log.some(({ msg }) => msg === 'the store could not be checked yet'), 'its line');
  const line = log.find(({ msg }) => msg === 'the store could not be checked yet');
  assert.equal(line?.level, 'warn');
  assert.match(
    String(line?.['reason']),
    /^DATABASE_URL: \S+fleet\.db cannot be opened: unable to open database file$/,
  );
  assert.equal((await send({ path: '/health' })).status, 200);
  await until(() => looked === 2, 'the second look', Number(line?.['next_try_ms']) + 5_000);
  assert.equal(damage, undefined);
});

it('damage is what ends it', async (t) => {
  const { gateway } = await startTestGateway(t, {
    prepare: aStore,
    storeCheck: Promise.resolve({
      problem: undefined,
      isWhole: () => false,
      confirm: () => Promise.resolve({ message: 'database disk image is malformed', code: 'SQLITE_CORRUPT' }),
    }),
  });
  assert.match((await gateway.damage).message, /is damaged \(database disk image is malformed\)/);
});
