import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { operator, poll, verdict } from '../support/poll.ts';
import { metricsText } from '../support/secrets.ts';
import { smallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';

const ID = 'demo-cluster-01';
const note = (n: number) => ({ id: `fill-${n}`, annotations: { note: 'x'.repeat(60_000) } });

test('while the disk is full: writes are 503, polls get the same bytes; when there is room, writes work again', async (t) => {
  const disk = smallDisk(t, '4m');
  if (disk === undefined) return t.skip('no right to mount a file system');
  const environment = { DATABASE_URL: `sqlite://${join(disk, 'fleet.db')}` };
  const gateway = await startTestGateway(t, { environment });
  const send = operator(gateway);
  const faults = async (operation = 'transaction'): Promise<number> => {
    const sample = new RegExp(`^fluxgate_store_faults_total\\{operation="${operation}"\\} (\\d+)$`, 'm');
    return Number(sample.exec(await metricsText(gateway.gateway.adminAddress))?.[1]);
  };
  const before = await poll(gateway, ID);
  assert.equal(await faults(), 0);
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(1_500_000));
  let acknowledged = 0;
  for (;;) {
    const answer = await send('POST', '/namespaces', note(acknowledged));
    if (answer.status !== 201) {
      assert.equal(verdict(answer), '503 unavailable');
      assert.match(String(answer.json()['message']), /Nothing was changed/);
      break;
    }
    acknowledged++;
    assert.ok(acknowledged < 200, 'the disk was never full');
  }
  assert.ok(acknowledged > 0);
  for (let n = 0; n < 3; n++) {
    assert.equal(verdict(await send('POST', '/namespaces', note(999))), '503 unavailable', 'and again');
    assert.deepEqual(await poll(gateway, ID), before);
  }
  assert.equal((await send('GET', '/namespaces?limit=1000')).json<object[]>().length, 3 + acknowledged);
  assert.equal((await send('GET', '/ready')).status, 200, 'it can be read');
  // A cluster whose first poll by certificate comes now is served as well, though the ratchet is not kept yet.
  const certificate = await gateway.pki.cluster('demo-cluster-02.k8s.example.com');
  const first = await gateway.send({
    path: '/api/v2/flux/clusters/demo-cluster-02.k8s.example.com/namespaces',
    certificate,
  });
  assert.equal(first.status, 200);

  // To the last octet: what is written behind polls is small.
  assert.throws(() => {
    for (let n = 0; ; n++) writeFileSync(`${ballast}-${n}`, Buffer.alloc(4_096));
  }, /ENOSPC/);
  assert.deepEqual(await poll(gateway, ID), before);
  await until(async () => (await faults('flush')) >= 2, 'the alert is told of it again and again', 30_000);
  const failed = await faults();
  assert.ok(failed >= 4, `${failed} writes failed, as the metric has it`);
  for (const name of readdirSync(disk)) if (name.startsWith('ballast')) rmSync(join(disk, name));
  assert.equal((await send('POST', '/namespaces', note(acknowledged))).status, 201);
  assert.deepEqual(await poll(gateway, ID), before);
  assert.equal(await faults(), failed);
  assert.equal(verdict(await send('DELETE', '/namespaces/of-nobody')), '404 not_found');
  assert.equal(await faults(), failed, 'who asks for what is not there is no fault of the store');
});
