import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WORKER_LIMITS } from '../../src/core/limits-workers.ts';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { startWorkers, type Way, type Workers } from '../support/workers.ts';

const OWN = 'demo-cluster-01.k8s.example.com';
const OTHERS = '/api/v2/flux/clusters/demo-cluster-02.k8s.example.com/namespaces';
const operator = { token: WRITE_TOKEN };

/** Presents a certificate to a worker that is not `but`; the id of the request. */
async function seenByAnother(gateway: Workers, but: number, path: string): Promise<string> {
  const certificate = await gateway.pki.cluster(OWN);
  const other = gateway.served().find(({ worker }) => worker !== but);
  assert.ok(other !== undefined);
  const answer = await gateway.through(other.worker, () => gateway.send({ path, certificate }));
  assert.equal(await gateway.workerOf(answer), other.worker);
  return String(answer.headers['x-request-id']);
}

async function json(way: Way, path: string): Promise<unknown> {
  const answer = await way.send({ path, ...operator });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json();
}

it('certificates, polls, refusals and their reasons are told by whichever worker is asked', async (t) => {
  const gateway = await startWorkers(t, 2);
  const ways = await gateway.ways(2);
  for (const [worker, way] of ways) {
    const polled = await seenByAnother(gateway, worker, `/api/v2/flux/clusters/${OWN}/namespaces`);
    const line = gateway.log().find(({ request_id }) => request_id === polled);
    const sha256 = String((line?.['certificate'] as { sha256?: string } | undefined)?.sha256);
    await until(async () => {
      const explained = await way.send({
        method: 'POST',
        path: '/explain',
        body: { certificate_sha256: sha256 },
        ...operator,
      });
      return explained.status === 200;
    }, `worker ${worker} to know the certificate ${sha256}`);
    await until(
      async () => JSON.stringify(await json(way, `/fleet/${OWN}`)).includes(sha256),
      'the poll',
      20_000,
    );

    const refused = await seenByAnother(gateway, worker, OTHERS);
    await until(
      async () =>
        JSON.stringify(await json(way, '/refusals?cluster_dns=demo-cluster-02.k8s.example.com')).includes(
          refused,
        ),
      `worker ${worker} to know of the refusal`,
    );
    const why = await way.send({
      method: 'POST',
      path: '/explain',
      body: { request_id: refused },
      ...operator,
    });
    assert.equal(why.status, 200, why.body.toString());
  }
});

it('of two keys of one cluster, each known to one worker, both workers know', async (t) => {
  const gateway = await startWorkers(t, 2, { PIN_CLUSTER_KEYS: 'enforce' });
  const [first, second] = [await gateway.pki.cluster(OWN), await gateway.pki.cluster(OWN)];
  const ways = await gateway.ways(2);
  const health = async (certificate: typeof first): Promise<number> =>
    (await gateway.send({ path: '/health', certificate })).status;
  assert.equal(await health(first), 200);
  // Two keys that are seen at once, by two workers, may be taken in either order.
  await sleep(3 * WORKER_LIMITS.shareIntervalMs);
  assert.equal(await health(second), 200);
  await sleep(3 * WORKER_LIMITS.shareIntervalMs);
  // A renewal, then both in use: from then on the one that was left behind is refused, by whichever worker is asked.
  assert.equal(await health(first), 200);
  assert.equal(await health(second), 200);
  await until(async () => {
    assert.equal(await health(second), 200);
    return (await health(first)) === 495;
  }, 'a worker to refuse the retired key');
  await until(async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => health(first)));
    return answers.every((status) => status === 495);
  }, 'every worker to refuse it');
  const conflicts = async (way: Way): Promise<number> => {
    const { conflicts: found } = (await json(way, '/trust')) as { conflicts: { total: number } };
    return found.total;
  };
  for (const [worker, way] of ways) {
    await until(async () => (await conflicts(way)) === 1, `worker ${worker} to tell of the conflict`);
  }
  const [through, other] = [...ways.values()];
  assert.ok(through !== undefined && other !== undefined);
  const reset = await through.send({ method: 'DELETE', path: `/trust/pins/${OWN}`, ...operator });
  assert.equal(reset.status, 200, reset.body.toString());
  assert.deepEqual([await conflicts(through), await conflicts(other)], [0, 0]);
  const answers = await Promise.all(Array.from({ length: 12 }, () => health(first)));
  assert.deepEqual([...new Set(answers)], [200]);
});
