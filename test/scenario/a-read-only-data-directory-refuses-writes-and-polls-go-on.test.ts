import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { operator, poll, verdict } from '../support/poll.ts';
import { type Immutable, immutableFiles } from '../support/small-disk.ts';

const ID = 'demo-cluster-01';

test('while nothing can be written: writes are 503, polls get the same bytes; afterwards writes work again', async (t) => {
  let data = '';
  let files: Immutable | undefined;
  const prepare = async (directory: string): Promise<Record<string, string>> => {
    data = join(directory, 'data');
    mkdirSync(data);
    files = immutableFiles(data);
    return { DATABASE_URL: `sqlite://${join(data, 'fleet.db')}` };
  };
  const cleanups: (() => unknown)[] = [];
  t.after(async () => {
    files?.set(false);
    for (const cleanup of cleanups) await cleanup();
  });
  const gateway = await startTestGateway(
    { after: (cleanup: () => unknown) => void cleanups.push(cleanup) } as typeof t,
    { prepare },
  );
  if (files === undefined) return t.skip('no file system here that takes the right to write from open files');
  const send = operator(gateway);
  const before = await poll(gateway, ID);
  const fleet = await gateway.fleet();
  files.set(true);
  for (const [method, path, body] of [
    ['POST', '/namespaces', { id: 'new' }],
    ['PATCH', `/clusters/${ID}`, { node_count: 9 }],
    ['DELETE', '/rolebindings/developers-view?detach=true', undefined],
  ] as const) {
    assert.equal(verdict(await send(method, path, body)), '503 unavailable', `${method} ${path}`);
    assert.deepEqual(await poll(gateway, ID), before);
  }
  assert.equal(await gateway.fleet(), fleet);
  assert.equal((await send('GET', '/ready')).status, 200);
  files.set(false);
  assert.equal((await send('POST', '/namespaces', { id: 'new' })).status, 201);
  assert.deepEqual(await poll(gateway, ID), before);
});
