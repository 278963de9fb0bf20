import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { operator, poll } from '../support/poll.ts';
import { fluxgate } from '../support/spawned.ts';

test('writes go on during a backup; what is restored is the fleet of exactly the revision that the backup names', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const database = `sqlite://${join(gateway.directory, 'fleet.db')}`;
  const copy = join(gateway.directory, 'backup.db');
  const atRevision = new Map<number, string>();
  let revision = 1;
  let going = true;
  const write = async (): Promise<void> => {
    while (going) {
      // Two objects in one revision: a torn copy would have one of them.
      const merge = { labels: { written: String(revision) } };
      const operations = [{ op: 'merge', merge }];
      const answer = await send('POST', '/bulk', {
        select: { ids: ['demo-cluster-01', 'demo-cluster-02'] },
        operations,
      });
      assert.equal(answer.status, 200, answer.body.toString());
      revision = answer.json<{ revision: number }>().revision;
      atRevision.set(revision, await gateway.fleet());
    }
  };
  const writing = write();
  while (revision < 5) await new Promise((resolve) => setTimeout(resolve, 20));
  const made = await fluxgate(t, ['backup', '--database', database, '--to', copy]).ended;
  const after = revision;
  while (revision < after + 3) await new Promise((resolve) => setTimeout(resolve, 20));
  going = false;
  await writing;
  assert.equal(made.code, 0, made.stderr);
  const named = Number(/up to revision (\d+)/.exec(made.stdout)?.[1]);
  assert.ok(named >= 5 && named <= after, `revision ${named} of ${revision}`);
  assert.ok(revision > named, 'writes went on');

  await gateway.gateway.close();
  const restored = await fluxgate(t, ['restore', '--database', database, '--from', copy]).ended;
  assert.equal(restored.code, 0, restored.stderr);
  const again = await startTestGateway(t, { pki: gateway.pki, environment: { DATABASE_URL: database } });
  assert.equal(await again.fleet(), atRevision.get(named));
  const { length } = (await operator(again)('GET', '/revisions?limit=1000')).json<object[]>();
  assert.equal(length, named, 'and its history with it');
  for (const answer of await poll(again, 'demo-cluster-01')) assert.match(answer, /^\{"inputs":\[\{/);
});
