import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { StartupError } from '../../src/core/errors.ts';
import { DEMO_SEED } from '../../src/core/fleet/demo-fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { operator, poll, verdict } from '../support/poll.ts';

type Files = Record<string, string>;
const ID = 'demo-cluster-01';

test('an import of a directory that lost files is refused, whichever files those are', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const { files } = (await send('GET', '/export')).json<{ files: Files }>();
  const before = await gateway.fleet();
  const polled = await poll(gateway, ID);
  const marker = { '.fluxgate.yaml': files['.fluxgate.yaml'] ?? '' };
  const keep = (wanted: (path: string, index: number) => boolean): Files => ({
    ...Object.fromEntries(Object.entries(files).filter(([path], index) => wanted(path, index))),
    ...marker,
  });
  const losses: readonly (readonly [what: string, files: Files, expected: RegExp])[] = [
    ['every second file', keep((_path, index) => index % 2 === 0), /^(400 validation_error|409 )/],
    ['the first half', keep((_path, index) => index >= 7), /^(400 validation_error|409 )/],
    ['the second half', keep((_path, index) => index < 7), /^(400 validation_error|409 )/],
    ['all clusters', keep((path) => !path.startsWith('clusters/')), /^409 prune_guard answers_end$/],
    ['all of the catalogue', keep((path) => path.startsWith('clusters/')), /^409 in_use$/],
    ['all files', marker, /^400 validation_error$/],
  ];
  for (const [what, lost, expected] of losses) {
    const answer = await send('POST', '/import', { mode: 'authoritative', files: lost });
    assert.match(verdict(answer), expected, what);
    assert.equal(await gateway.fleet(), before, what);
  }
  const lists = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [
      path,
      path.startsWith('clusters/')
        ? text.replace(/^namespaces:\n(?: {2}- .*\n)+/m, 'namespaces: []\n')
        : text,
    ]),
  );
  for (const mode of ['merge', 'authoritative']) {
    const answer = await send('POST', '/import', { mode, files: lists });
    assert.equal(
      verdict(answer),
      '409 prune_guard several_inputs,several_clusters,namespace,empty_route',
      mode,
    );
  }
  assert.equal(await gateway.fleet(), before);
  assert.deepEqual(await poll(gateway, ID), polled);
});

test('a seed that lost half of its objects is not read where a fleet is, and does not load where it is torn', async (t) => {
  const gateway = await startTestGateway(t);
  const database = `sqlite://${join(gateway.directory, 'fleet.db')}`;
  const before = await gateway.fleet();
  const polled = await poll(gateway, ID);
  await gateway.gateway.close();
  const half = <T>(list: readonly T[]): readonly T[] => list.slice(0, Math.ceil(list.length / 2));
  const torn = { ...DEMO_SEED, clusters: half(DEMO_SEED.clusters), namespaces: half(DEMO_SEED.namespaces) };
  const environment = { DATABASE_URL: database };
  const again = await startTestGateway(t, { pki: gateway.pki, seed: torn, environment });
  assert.equal(await again.fleet(), before);
  assert.deepEqual(await poll(again, ID), polled);
  await assert.rejects(startTestGateway(t, { pki: gateway.pki, seed: torn }), (error) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.match(
      error.message,
      /namespaces\/2 refers to namespace "podinfo", which the seed does not define/,
    );
    return true;
  });
  const cut = JSON.stringify(DEMO_SEED).slice(0, 2_000);
  const prepare = async (directory: string): Promise<Record<string, string>> => {
    await writeFile(join(directory, 'cut.json'), cut);
    return { SEED_FILE: join(directory, 'cut.json') };
  };
  await assert.rejects(startTestGateway(t, { pki: gateway.pki, prepare }), StartupError);
});
