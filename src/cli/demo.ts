import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../core/config.ts';
import { DEMO_SEED } from '../core/fleet/demo-fleet.ts';
import { type Gateway, startGateway } from '../gateway.ts';
import { systemClock } from '../shell/clock.ts';
import { createLog } from '../shell/log.ts';
import type { CommandContext } from './context.ts';
import {
  createDemoClient,
  type DemoAnswer,
  type DemoClient,
  type DemoIdentity,
} from './demo-fleet-client.ts';
import { type DemoPki, mintDemoPki } from './demo-pki.ts';

const TOKEN = 'a-shared-read-token-for-the-demo';

/** What one scene of the tour may use. */
interface Stage {
  readonly gateway: Gateway;
  readonly pki: DemoPki;
  readonly send: DemoClient;
  readonly clusters: readonly string[];
  readonly identities: Map<string, DemoIdentity>;
  say(line: string): void;
  /** Says what was asked and answered; throws when the answer is not the one that the tour promises. */
  expect(what: string, answer: DemoAnswer, status: number): void;
}

const inputs = (dns: string): string => `/api/v2/flux/clusters/${dns}/platform-components`;

/** The guided tour: a gateway on a free port, a small fleet played against it. Throws where anything is not as narrated. */
export async function demo(context: CommandContext): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-demo-'));
  let gateway: Gateway | undefined;
  try {
    const pki = await mintDemoPki(directory);
    const config = parseConfig({
      ...pki.environment,
      API_MODE: 'crud',
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: 'off',
      DATABASE_URL: 'sqlite::memory:',
      AUTH_TOKEN: TOKEN,
      LOG_LEVEL: 'silent',
    });
    const log = createLog(config.logLevel, { write: () => undefined });
    gateway = await startGateway(config, { clock: systemClock, log, demoFleet: JSON.stringify(DEMO_SEED) });
    const stage = await setStage(context, gateway, pki);
    await whoMayRead(stage);
    await revoke(stage);
    await rotate(stage);
    stage.say('');
    stage.say('That was Fluxgate. `npm start` keeps one running, with the commands to try by hand.');
  } finally {
    await gateway?.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function setStage(context: CommandContext, gateway: Gateway, pki: DemoPki): Promise<Stage> {
  const clusters = DEMO_SEED.clusters.map(({ cluster_dns }) => cluster_dns);
  const identities = new Map<string, DemoIdentity>();
  for (const dns of clusters) identities.set(dns, await pki.cluster(dns, 'old'));
  context.print(
    `A gateway serves on 127.0.0.1:${gateway.address.port} with a fleet of ${clusters.length} clusters.`,
  );
  return {
    gateway,
    pki,
    clusters,
    identities,
    send: createDemoClient(gateway.address.port, pki.serverCaPem),
    say: context.print,
    expect(what, answer, status) {
      context.print(`  ${String(answer.status).padStart(3)}  ${what}`);
      if (answer.status !== status)
        throw new Error(`demo: expected ${status}, got ${answer.status}: ${what}`);
    },
  };
}

async function whoMayRead({ send, expect, say, clusters, identities }: Stage): Promise<void> {
  const [first = '', second = ''] = clusters;
  const identity = identities.get(first);
  say('\n1. A cluster reads its own inputs, and nobody else does.');
  const own = await send({ path: inputs(first), identity });
  const ids = (own.body as { inputs: { id: string }[] }).inputs.map(({ id }) => id).join(', ');
  expect(`${first}, by its certificate: ${ids}`, own, 200);
  expect(`the same certificate, for ${second}`, await send({ path: inputs(second), identity }), 403);
  expect('no credential at all', await send({ path: inputs(first) }), 401);
  expect(
    `the shared token, for ${second}, which has no certificate yet`,
    await send({ path: inputs(second), token: TOKEN }),
    200,
  );
  expect(
    `the shared token, for ${first}: the ratchet has turned`,
    await send({ path: inputs(first), token: TOKEN }),
    403,
  );
}

async function revoke({ send, expect, say, pki, clusters, identities }: Stage): Promise<void> {
  const [, , third = ''] = clusters;
  const identity = identities.get(third);
  say(`\n2. ${third} is compromised: an operator revokes it.`);
  expect('before: its certificate', await send({ path: inputs(third), identity }), 200);
  const body = { cluster_dns: third, reason: 'demo: the node was stolen' };
  const revocation = await send({ method: 'POST', path: '/revocations', identity: pki.operator, body });
  expect('POST /revocations, with an operator certificate', revocation, 201);
  expect('after: the same certificate', await send({ path: inputs(third), identity }), 495);
  const { id } = revocation.body as { id: string };
  expect(
    'the operator lifts it',
    await send({ method: 'DELETE', path: `/revocations/${id}`, identity: pki.operator }),
    200,
  );
  expect('and it is served again', await send({ path: inputs(third), identity }), 200);
}

async function rotate(stage: Stage): Promise<void> {
  const { say, pki, gateway, clusters, identities, expect, send } = stage;
  say('\n3. The cluster CA is rotated while the fleet keeps polling.');
  const load = startPolling(stage);
  const old = new Map(identities);
  await pki.trust('old', 'new');
  await reload(gateway);
  say('       old and new CA are trusted');
  for (const dns of clusters) identities.set(dns, await pki.cluster(dns, 'new'));
  say('       every cluster has a certificate of the new CA');
  await load.untilPolled(clusters.length * 5);
  await pki.trust('new');
  await reload(gateway);
  say('       the old CA is gone');
  await load.untilPolled(clusters.length * 5);
  const { polls, refused } = await load.stop();
  say(`       ${polls} polls during the rotation, ${refused} refused`);
  if (refused > 0) throw new Error('demo: a poll was refused during the rotation');
  const [first = ''] = clusters;
  expect('a certificate of the old CA', await send({ path: inputs(first), identity: old.get(first) }), 495);
  expect('one of the new CA', await send({ path: inputs(first), identity: identities.get(first) }), 200);
}

async function reload(gateway: Gateway): Promise<void> {
  if (!(await gateway.reload('SIGHUP'))) throw new Error('demo: the reload was refused');
}

/** Every cluster polls, one after the other, until told to stop. */
function startPolling({ clusters, identities, send }: Stage): {
  untilPolled(more: number): Promise<void>;
  stop(): Promise<{ polls: number; refused: number }>;
} {
  let polls = 0;
  let refused = 0;
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      for (const dns of clusters) {
        const { status } = await send({ path: inputs(dns), identity: identities.get(dns) });
        polls++;
        if (status !== 200) refused++;
      }
    }
  })();
  return {
    async untilPolled(more) {
      const goal = polls + more;
      while (polls < goal) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    async stop() {
      stopped = true;
      await running;
      return { polls, refused };
    },
  };
}
