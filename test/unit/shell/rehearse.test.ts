import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseConfig } from '../../../src/core/config.ts';
import type { Principal } from '../../../src/core/identity/principal.ts';
import { createPolicyEngine, type Decision, type DecisionRequest } from '../../../src/core/policy/decide.ts';
import { loadContract } from '../../../src/shell/contract.ts';
import type { Handler } from '../../../src/shell/http/handlers/handlers.ts';
import { rehearseWrites } from '../../../src/shell/http/rehearse.ts';
import { rehearseFirstView } from '../../../src/shell/http/ui/rehearse.ts';
import { SHIPPED } from '../policy/shipped.ts';

/** What the rehearsal needs, with policies and handlers that are watched; whatever else is looked at fails. */
async function watched(handlers: ReadonlyMap<string, Handler>) {
  const { router } = await loadContract();
  const decided: (readonly [string, Decision])[] = [];
  const engine = createPolicyEngine(SHIPPED);
  const policy = {
    ...engine,
    decide(request: DecisionRequest) {
      const decision = engine.decide(request);
      decided.push([request.operationId, decision]);
      return decision;
    },
  };
  const unasked = (): never => assert.fail('nothing is looked up');
  const parts = {
    config: parseConfig({
      TLS_CERT_FILE: 'a',
      TLS_KEY_FILE: 'b',
      CLUSTER_CA_FILE: 'c',
      DATABASE_URL: 'sqlite://:memory:',
      OPERATOR_NETWORKS: '127.0.0.0/8',
    }),
    router,
    handlers,
    trust: { snapshot: unasked, policy } as never,
    ratchet: { isTurned: unasked } as never,
    fleet: { get: unasked, list: unasked },
    clock: { now: () => 0, elapsed: () => 0 },
  };
  return { parts, decided };
}

it('makes the first view once, as somebody whom the policies refuse, with what the routes behind it answer', async () => {
  const asked: string[] = [];
  const told: unknown[] = [];
  const handlers = new Map<string, Handler>([
    [
      'showFleet',
      async ({ page, principal, permits }) => {
        if (page === undefined) return assert.fail('no page');
        told.push(
          await page.may('/trust'),
          await page.ask('/fleet?limit=7'),
          principal,
          page.principal,
          page.hasSession,
        );
        told.push(permits({ kind: 'trust' }, 'listRefusals'));
        assert.throws(() => page.signIn('token'));
        assert.throws(() => page.checkForm('form'));
        return { status: 200, body: '' };
      },
    ],
    [
      'listFleet',
      ({ operationId, parameters }) => {
        asked.push(`${operationId} ${JSON.stringify(parameters.query)}`);
        return Promise.resolve({ status: 200, body: { total: 3 } });
      },
    ],
  ]);
  const { parts, decided } = await watched(handlers);
  await rehearseFirstView(parts);
  assert.deepEqual(
    decided.map(([operationId, { allowed }]) => [operationId, allowed]),
    ['showFleet', 'getTrust', 'listFleet', 'listRefusals'].map((operationId) => [operationId, false]),
  );
  const [may, fleet, principal, onPage, ...rest] = told;
  assert.deepEqual(asked, ['listFleet {"limit":7}']);
  assert.equal(may, true);
  assert.deepEqual(fleet, { total: 3 });
  assert.deepEqual((principal as Principal & { groups: string[] }).groups, ['fluxgate:nobody']);
  assert.equal(principal, onPage);
  assert.deepEqual(rest, [false, false]);
});

it('compiles what writes of many clusters are checked by: each body and parameter as it is asked for, and kinds by their own', async () => {
  const { router, schemas } = await loadContract();
  const checked: string[] = [];
  const validated: string[] = [];
  const watched = {
    ...router,
    validate(...given: Parameters<typeof router.validate>) {
      const parameters = router.validate(...given);
      validated.push(`${given[0].operationId} ${JSON.stringify(parameters.query)}`);
      return parameters;
    },
  };
  const kinds = {
    check(name: string, value: unknown) {
      checked.push(name);
      return schemas.check(name, value);
    },
  };
  await rehearseWrites(watched, kinds, async () => undefined);
  assert.deepEqual(checked, ['PlatformComponent', 'Cluster']);
  const dryRun = '{"dry_run":true}';
  assert.deepEqual(validated, [
    `patchPlatformComponent ${dryRun}`,
    `patchCluster ${dryRun}`,
    `bulkChange ${dryRun}`,
  ]);
});
