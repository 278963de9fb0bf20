import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterMeant, objectMeant, refusalWithMeant } from '../../../src/cli/api/meant.ts';
import type { ApiAnswer, ApiRequest, SendRequest } from '../../../src/cli/api/transport.ts';
import { CommandFailed } from '../../../src/cli/context.ts';

const CLUSTERS = [
  { id: 'east-01', cluster_dns: 'east-01.k8s.example.com' },
  { id: 'west-01', cluster_dns: 'west-01.k8s.example.com' },
];

interface Stage {
  readonly send: SendRequest;
  readonly asked: string[];
}

function gateway(change: Partial<ApiAnswer> = {}): Stage {
  const asked: string[] = [];
  const send = async (request: ApiRequest): Promise<ApiAnswer> => {
    asked.push(request.path);
    const headers = { 'x-total-count': String(CLUSTERS.length) };
    return { status: 200, headers, body: CLUSTERS, asked: request, ...change };
  };
  return { send, asked };
}

test('a cluster is meant by an id or a DNS name that is near, and said by its id', async () => {
  const { send } = gateway();
  assert.equal(await clusterMeant(send, 'eats-01'), 'east-01');
  assert.equal(await clusterMeant(send, 'west-01.k8s.exmaple.com'), 'west-01');
  assert.equal(await clusterMeant(send, 'quite-another'), undefined);
});

test('what is somebody’s name is not what somebody else meant', async () => {
  const { send } = gateway();
  assert.equal(await clusterMeant(send, 'east-01'), undefined);
  assert.equal(await clusterMeant(send, 'east-01.k8s.example.com'), undefined);
  assert.equal(await clusterMeant(send, 'east-01.k8s.example.com', true), 'east-01');
  assert.equal(await objectMeant(send, '/clusters', 'east-01'), undefined);
});

test('nothing is said where the gateway says too much, nothing or something else', async () => {
  for (const change of [
    { headers: { 'x-total-count': '10001' } },
    { status: 403, body: {} },
    { body: { clusters: CLUSTERS } },
    { body: [null, 7, { id: 3 }] },
  ]) {
    assert.equal(await objectMeant(gateway(change).send, '/clusters', 'eats-01'), undefined);
  }
  const failing = async (): Promise<ApiAnswer> => {
    throw new CommandFailed('no connection');
  };
  assert.equal(await objectMeant(failing, '/clusters', 'eats-01'), undefined);
});

test('a DNS name that is none, and that nobody can make a text of, is nobody’s and takes no refusal away', async () => {
  const nameless = [
    { id: 'north-01', cluster_dns: JSON.parse('{"toString":1,"valueOf":2}') },
    { id: 'undefined-1' },
  ];
  const { send } = gateway({ body: [...CLUSTERS, ...nameless] });
  assert.equal(await clusterMeant(send, 'eats-01'), 'east-01');
  assert.equal(await clusterMeant(send, 'undefined', true), 'undefined-1');
});

test('the gateway is asked for names only where a name may be wrong', async () => {
  const refusal = async (status: number, path: string): Promise<readonly [string[], boolean]> => {
    const { send, asked } = gateway();
    const body = { error: 'x', message: 'x' };
    const { message } = await refusalWithMeant(send, { status, headers: {}, body, asked: { path } });
    return [asked, message.includes('→ is east-01 meant? (fluxgate ')];
  };
  for (const path of [
    '/clusters/eats-01',
    '/clusters/eats-01/rendered',
    '/fleet/eats-01',
    '/trust/pins/eats-01',
  ]) {
    assert.deepEqual(await refusal(404, path), [['/clusters'], true], path);
  }
  assert.deepEqual(await refusal(400, '/clusters/East-01'), [['/clusters'], true]);
  assert.deepEqual(await refusal(404, '/namespaces/eats-01'), [['/namespaces'], true]);
  // A body that is wrong, another refusal, and what has no name.
  for (const [status, path] of [
    [400, '/clusters/eats-01'],
    [409, '/clusters/eats-01'],
    [403, '/clusters/eats-01'],
    [404, '/clusters'],
    [404, '/revisions/7'],
  ] as const) {
    assert.deepEqual(await refusal(status, path), [[], false], `${status} ${path}`);
  }
});

test('whoever has a DNS name that is taken is named where that was the reason, and nobody is asked for it otherwise', async () => {
  const TAKEN = [{ field: '/cluster_dns', problem: 'must not be taken by another cluster' }];
  const body = { id: 'thief', cluster_dns: 'east-01.k8s.example.com' };
  const refusal = async (
    { status = 409, details = TAKEN as readonly object[], path = '/clusters', sent = body as object },
    held: Partial<ApiAnswer> = {},
  ): Promise<readonly [number, string]> => {
    const { send, asked } = gateway({ body: CLUSTERS.slice(0, 1), ...held });
    const answer = { error: 'conflict', message: 'x', details };
    const request = { method: 'POST', path, body: sent } as const;
    const { message } = await refusalWithMeant(send, { status, headers: {}, body: answer, asked: request });
    return [asked.length, /\(fluxgate ([^)]*)\)/.exec(message)?.[1] ?? ''];
  };
  assert.deepEqual(await refusal({}), [1, 'cluster get east-01']);
  assert.deepEqual(await refusal({ path: '/clusters/thief' }), [1, 'cluster get east-01']);
  // Who may not see it is not told whose it is, and is not led to the cluster that was to be made.
  assert.deepEqual(await refusal({}, { body: [] }), [1, 'cluster list']);
  assert.deepEqual(await refusal({}, { status: 403, body: {} }), [1, 'cluster list']);
  assert.deepEqual(await refusal({ details: [{ field: '/id', problem: 'x' }] }), [0, 'cluster get thief']);
  assert.deepEqual(await refusal({ path: '/tokens' }), [0, 'token list']);
  assert.deepEqual(await refusal({ sent: { id: 'thief', cluster_dns: 7 } }), [0, 'cluster get thief']);
  assert.equal((await refusal({ status: 400 }))[0], 0);
});
