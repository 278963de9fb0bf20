import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:https';
import { test } from 'node:test';
import { WRITE_STEPS } from '../../src/core/fleet/progress.ts';
import type { ClientRequest } from '../support/client.ts';
import { sampleCluster } from '../support/fleet.ts';
import { READ_TOKEN, startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';

const CLUSTERS = 3_000;

interface Told {
  readonly step: (typeof WRITE_STEPS)[number];
  readonly done: number;
  readonly total?: number;
}

test('the author of an import and of a bulk change is told how far it is; nobody else is, nor anybody when it is over', async (t) => {
  const gateway = await startTestGateway(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const sam = { certificate: await gateway.pki.operator('sam@example.com') };
  const kim = { certificate: await gateway.pki.operator('kim@example.com') };
  const ask = (id: string, by: Partial<ClientRequest>) => gateway.send({ ...by, path: `/progress/${id}` });

  /** What its author was told while it went on; meanwhile others ask, with the id in their hands. */
  async function told(write: Omit<ClientRequest, 'certificate'>): Promise<readonly Told[]> {
    const id = randomUUID();
    let over = false;
    const written = gateway
      .send({ ...write, ...sam, headers: { 'progress-id': id } })
      .finally(() => (over = true));
    const heard: Told[] = [];
    while (!over) {
      const answer = await ask(id, { ...sam, agent });
      if (answer.status === 200) {
        heard.push(answer.json<Told>());
        if (heard.length % 5 === 1) {
          assert.equal((await ask(id, kim)).status, 404);
          assert.equal((await ask(id, { token: WRITE_TOKEN })).status, 404);
          assert.equal((await ask(id, { token: READ_TOKEN })).status, 403);
          assert.equal((await ask(id, {})).status, 401);
          assert.equal((await ask(randomUUID(), { ...sam })).status, 404);
        }
      } else assert.equal(answer.status, 404);
    }
    assert.equal((await written).status, 200, (await written).body.toString().slice(0, 500));
    assert.equal((await ask(id, sam)).status, 404, 'it is over');
    return heard;
  }

  const files = Object.fromEntries(
    Array.from({ length: CLUSTERS }, (_, n) => {
      const cluster = sampleCluster(`made-${String(n).padStart(4, '0')}`, { labels: { made: 'here' } });
      return [`clusters/${cluster.id}.yaml`, JSON.stringify(cluster)];
    }),
  );
  const body = { mode: 'merge', files };
  const imported = await told({ method: 'POST', path: '/import', body });
  const labelled = await told({
    method: 'POST',
    path: '/bulk',
    body: { select: { labels: { made: 'here' } }, operations: [{ op: 'merge', merge: { node_count: 7 } }] },
  });
  for (const heard of [imported, labelled]) {
    assert.ok(heard.length > 1, 'it is told while it goes on');
    for (const [index, { step, done, total }] of heard.entries()) {
      const before = heard[index - 1];
      assert.ok(done <= (total ?? done));
      if (before === undefined) continue;
      const [was, is] = [WRITE_STEPS.indexOf(before.step), WRITE_STEPS.indexOf(step)];
      // An import reads its files before it waits for its turn.
      assert.ok(
        is > was || (is === was && done >= before.done) || step === 'waiting',
        `${before.step}, ${step}`,
      );
    }
    assert.ok(heard.some(({ step, done, total }) => step !== 'waiting' && done > 0 && total === CLUSTERS));
  }
  assert.equal((await gateway.send({ path: '/clusters/made-0001', ...sam })).json()['node_count'], 7);
});

test('a Progress-Id that could be guessed is refused, and nothing is written', async (t) => {
  const gateway = await startTestGateway(t);
  const before = await gateway.fleet();
  const body = { mode: 'merge', files: { 'namespaces/new.yaml': 'id: new' } };
  for (const id of ['1', 'x'.repeat(65), `${'x'.repeat(30)} y`]) {
    const answer = await gateway.send({
      method: 'POST',
      path: '/import',
      body,
      token: WRITE_TOKEN,
      headers: { 'progress-id': id },
    });
    assert.deepEqual([answer.status, answer.json()['error']], [400, 'malformed_request'], id);
  }
  assert.equal((await gateway.send({ path: '/progress/1', token: WRITE_TOKEN })).status, 400);
  assert.equal(await gateway.fleet(), before);
});
