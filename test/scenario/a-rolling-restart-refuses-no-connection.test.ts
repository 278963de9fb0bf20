import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../support/until.ts';
import { startWorkers } from '../support/workers.ts';

const OWN = 'demo-cluster-01.k8s.example.com';
const POLLERS = 8;

it('SIGUSR2 puts a new worker in the place of each, and no poll of a fresh connection fails meanwhile', async (t) => {
  const gateway = await startWorkers(t, 2);
  const certificate = await gateway.pki.cluster(OWN);
  const path = `/api/v2/flux/clusters/${OWN}/platform-components`;
  const results = new Map<string, number>();
  let polling = true;
  const poll = async (): Promise<void> => {
    while (polling) {
      const result = await gateway.send({ path, certificate }).then(
        ({ status }) => String(status),
        (error: NodeJS.ErrnoException) => error.code ?? error.message,
      );
      results.set(result, (results.get(result) ?? 0) + 1);
    }
  };
  const pollers = Array.from({ length: POLLERS }, poll);
  const before = gateway.served().map(({ worker }) => worker);
  gateway.supervisor.child.kill('SIGUSR2');
  const done = (): boolean => gateway.log().some(({ msg }) => msg === 'every worker is a new one');
  await until(done, 'the restart', 60_000);
  polling = false;
  await Promise.all(pollers);
  assert.deepEqual([...results.keys()], ['200'], JSON.stringify([...results]));
  assert.ok((results.get('200') ?? 0) > POLLERS, 'polls were made');
  assert.deepEqual([...(await gateway.ways(2)).keys()].sort(), [3, 4]);
  for (const worker of before) {
    assert.ok(
      gateway.log().some((line) => line.msg === 'stopped' && line['worker'] === worker),
      `worker ${worker} drained`,
    );
  }
  assert.ok(!gateway.log().some(({ level }) => level === 'error'));
});

it('SIGTERM drains every worker and ends with 0; SIGHUP reloads each', async (t) => {
  const gateway = await startWorkers(t, 2);
  gateway.supervisor.child.kill('SIGHUP');
  const reloaded = (): unknown[] =>
    gateway
      .log()
      .filter(({ msg, trigger }) => msg.startsWith('reload') && trigger === 'SIGHUP')
      .map(({ worker }) => worker);
  await until(() => reloaded().length === 2, 'two reloads');
  assert.deepEqual(reloaded().sort(), [1, 2]);
  gateway.supervisor.child.kill('SIGTERM');
  const { code, signal, stderr } = await gateway.supervisor.ended;
  assert.deepEqual([code, signal, stderr], [0, null, '']);
  assert.equal(gateway.log().filter(({ msg }) => msg === 'stopped').length, 2);
});

it('a worker that cannot come to serve is a refusal to start, in its own words and with its exit code', async (t) => {
  const refused = startWorkers(t, 2, { SEED_FILE: '/nowhere/seed.json' });
  const error = await refused.then(
    () => assert.fail('it serves'),
    (problem: Error) => problem,
  );
  assert.match(error.message, /"code":78/);
  assert.match(error.message, /fluxgate: SEED_FILE: \/nowhere\/seed.json/);
});
