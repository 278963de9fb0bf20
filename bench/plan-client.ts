/** The other side of bench/plan.ts: sends what it is told to, and polls all the while as a cluster does. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ClientCertificate, type Endpoint, send } from '../test/support/client.ts';

export interface Job {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Done {
  readonly status: number;
  readonly tookMs: number;
  readonly bytes: number;
  readonly planHash: string | undefined;
  readonly clusters: number;
  readonly polls: number;
  readonly longestPollMs: number;
}

const { certificate, token, ...endpoint } = workerData as Endpoint & {
  readonly certificate: ClientCertificate;
  readonly token: string;
};
const POLL = '/api/v2/flux/clusters/cluster-000001.k8s.example.com/rolebindings';

interface Planned {
  readonly plan_hash?: string;
  readonly clusters_affected?: number;
  readonly plan?: Planned;
}

async function work({ method, path, body, headers = {} }: Job): Promise<Done> {
  const begin = performance.now();
  const request = send(endpoint, { method, path, token, headers, ...(body === undefined ? {} : { body }) });
  let pending = true;
  request.then(
    () => {
      pending = false;
    },
    () => {
      pending = false;
    },
  );
  let polls = 0;
  let longestPollMs = 0;
  do {
    const from = performance.now();
    const { status } = await send(endpoint, { path: POLL, certificate });
    if (status !== 200) throw new Error(`a poll was answered ${status}`);
    longestPollMs = Math.max(longestPollMs, performance.now() - from);
    polls++;
  } while (pending);
  const answer = await request;
  const json = answer.json<Planned>();
  const { plan_hash: planHash, clusters_affected: clusters = 0 } = json.plan ?? json;
  const tookMs = performance.now() - begin;
  return {
    status: answer.status,
    tookMs,
    bytes: answer.body.byteLength,
    planHash,
    clusters,
    polls,
    longestPollMs,
  };
}

parentPort?.on('message', async (job: Job) => {
  parentPort?.postMessage(await work(job));
});
