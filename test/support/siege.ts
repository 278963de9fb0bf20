import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { TestGateway } from './gateway.ts';
import { until } from './until.ts';

/** Client and gateway share this process, so what is measured is both of them: the margins are as wide as that asks for. */
const DEMO_CLUSTERS = ['01', '02', '03'].map((number) => `demo-cluster-${number}.k8s.example.com`);
const HEAP_GROWTH_MAX = 64 * 1_048_576;
const CALM_DELAY_MS = 100;
/** Between two polls of one cluster. */
const POLL_PAUSE_MS = 20;

export interface Siege {
  /** Polls that were answered while the attack went on. */
  readonly polls: number;
  readonly slowestMs: number;
}

/**
 * Honest clusters poll with their certificates from 127.0.0.1 while `attack` goes on: each poll must be served. Afterwards no
 * connection, no memory and no delay of the event loop is left of it.
 */
export async function besiege(gateway: TestGateway, attack: () => Promise<void>): Promise<Siege> {
  const clusters = await Promise.all(
    DEMO_CLUSTERS.map(async (dns) => ({ dns, certificate: await gateway.pki.cluster(dns) })),
  );
  const poll = async ({ dns, certificate }: (typeof clusters)[number]): Promise<number> => {
    const path = `/api/v2/flux/clusters/${dns}/platform-components`;
    const begun = performance.now();
    const answer = await gateway.send({ path, certificate });
    assert.equal(answer.status, 200, `${dns} was served`);
    return performance.now() - begun;
  };
  for (const cluster of clusters) await poll(cluster);
  const heapBefore = heapOctets();
  let over = false;
  let polls = 0;
  let slowestMs = 0;
  const honest = clusters.map(async (cluster) => {
    while (!over) {
      slowestMs = Math.max(slowestMs, await poll(cluster));
      polls++;
      await new Promise((resolve) => setTimeout(resolve, POLL_PAUSE_MS));
    }
  });
  // A poll that fails ends the siege at once, with its own message.
  try {
    await Promise.race([attack(), Promise.all(honest)]);
  } finally {
    over = true;
  }
  await Promise.all(honest);
  assert.ok(polls >= clusters.length, 'polls went on during the attack');
  await until(
    async () => (await gauge(gateway, 'fluxgate_open_connections')) === 0,
    'no connection is left',
    45_000,
  );
  await until(async () => (await delayMs()) < CALM_DELAY_MS, 'the event loop is calm', 20_000);
  await until(() => heapOctets() - heapBefore < HEAP_GROWTH_MAX, 'memory is back at its baseline', 20_000);
  return { polls, slowestMs };
}

/** The sum over all labels of a metric. */
export async function gauge({ gateway }: TestGateway, name: string, labels = ''): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${gateway.adminAddress?.port}/metrics`);
  const values = (await response.text())
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || (line.startsWith(`${name}{`) && line.includes(labels)))
    .map((line) => Number(line.split(' ').at(-1)));
  return values.reduce((sum, value) => sum + value, 0);
}

async function delayMs(): Promise<number> {
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 50));
  return performance.now() - begun - 50;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapOctets(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** `count` of them, at most `atOnce` at a time. */
export async function inParallel(
  count: number,
  atOnce: number,
  one: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
