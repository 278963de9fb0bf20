import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseConfig } from '../../../src/core/config.ts';
import { createPolicyEngine, type Decision, type DecisionRequest } from '../../../src/core/policy/decide.ts';
import { loadContract } from '../../../src/shell/contract.ts';
import { rehearseFirstView } from '../../../src/shell/http/ui/rehearse.ts';
import { SHIPPED } from '../policy/shipped.ts';

it('asks what the first view of the page asks, as somebody whom the policies refuse', async () => {
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
  await rehearseFirstView({
    config: parseConfig({
      TLS_CERT_FILE: 'a',
      TLS_KEY_FILE: 'b',
      CLUSTER_CA_FILE: 'c',
      DATABASE_URL: 'sqlite://:memory:',
      OPERATOR_NETWORKS: '127.0.0.0/8',
    }),
    router,
    trust: { snapshot: unasked, policy } as never,
    ratchet: { isTurned: unasked } as never,
    fleet: { get: unasked, list: unasked },
    clock: { now: () => 0, elapsed: () => 0 },
  });
  assert.deepEqual(
    decided.map(([operationId, { allowed }]) => [operationId, allowed]),
    [
      ['showFleet', false],
      ['listFleet', false],
      ['listPlans', false],
    ],
  );
});
