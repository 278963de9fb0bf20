import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { it } from 'node:test';
import { until } from '../support/until.ts';
import { startWorkers } from '../support/workers.ts';

it('the supervisor stays while none of them can start, and a signal ends it then', async (t) => {
  const gateway = await startWorkers(t, 2);
  const said = (text: string): number => gateway.log().filter(({ msg }) => msg.includes(text)).length;
  const key = `${gateway.directory}/server.key`;
  const endBoth = async (): Promise<void> => {
    await rename(key, `${key}.away`);
    const before = said('could not be started');
    for (const { pid } of gateway.served().slice(-2)) process.kill(pid, 'SIGKILL');
    await until(() => said('could not be started') >= before + 2, 'both were tried again', 30_000);
  };
  await endBoth();
  assert.equal(gateway.supervisor.child.exitCode, null);
  await rename(`${key}.away`, key);
  await until(() => gateway.served().length === 4, 'both serve again', 30_000);
  assert.equal((await gateway.send({ path: '/health' })).status, 200);

  await endBoth();
  const asked = performance.now();
  gateway.supervisor.child.kill('SIGTERM');
  const { code } = await gateway.supervisor.ended;
  assert.ok(performance.now() - asked < 10_000);
  assert.notEqual(code, 13, 'as Node ends what waits for nothing');
});
