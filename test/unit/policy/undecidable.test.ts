import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Principal } from '../../../src/core/identity/principal.ts';
import { createPolicyEngine, type DecisionRequest } from '../../../src/core/policy/decide.ts';
import { NOWHERE, type PolicyResource } from '../../../src/core/policy/entities.ts';
import { ACTORS, EAST, SHIPPED } from './shipped.ts';

// Whatever cannot be decided is denied, whoever would otherwise be let in.

const ELSEWHERE = { network: '', moment: { hour: 12, weekday: 'monday' } } as const;
const PERMIT_ALL = '@id("all") @reason("all") permit (principal, action, resource);';
const permissive = createPolicyEngine({ ...SHIPPED, policies: { 'all.cedar': PERMIT_ALL } });

const FINE: DecisionRequest = {
  principal: ACTORS.cluster,
  operationId: 'getNamespaceInputs',
  resource: { kind: 'cluster_inputs', dns: EAST, ratcheted: false, revoked: false, place: NOWHERE },
  context: { source: '10.0.0.1', operatorNetwork: false, ...ELSEWHERE, credential: 'certificate' },
};

test('the permissive engine of these tests lets the proper request in', () => {
  assert.deepEqual(permissive.decide(FINE), { allowed: true, policies: ['all'], reason: 'all' });
});

const BROKEN: readonly [string, DecisionRequest][] = [
  ['an operation that no action is named after', { ...FINE, operationId: 'getNothing' }],
  ['a group of actions instead of an action', { ...FINE, operationId: 'clusterInputs' }],
  ['an operation named like an inherited property', { ...FINE, operationId: '__proto__' }],
  [
    'a resource of another type than the action is for',
    { ...FINE, resource: { kind: 'fleet', objectKind: 'cluster', place: NOWHERE } },
  ],
  [
    'a principal without the attribute that the schema requires',
    { ...FINE, principal: { kind: 'cluster' } as unknown as Principal },
  ],
  [
    'a resource without the attribute that the schema requires',
    { ...FINE, resource: { kind: 'cluster_inputs', dns: EAST } as unknown as PolicyResource },
  ],
  [
    'an attribute of the wrong type',
    {
      ...FINE,
      resource: {
        kind: 'cluster_inputs',
        dns: EAST,
        ratcheted: 'no',
        revoked: false,
        place: NOWHERE,
      } as unknown as PolicyResource,
    },
  ],
  ['a principal of an unknown kind', { ...FINE, principal: { kind: 'root' } as unknown as Principal }],
  ['no principal at all', { ...FINE, principal: undefined as unknown as Principal }],
  ['a source that is no address', { ...FINE, context: { ...FINE.context, source: 'unknown' } }],
  ['no context', { ...FINE, context: undefined as unknown as DecisionRequest['context'] }],
];

for (const [what, request] of BROKEN) {
  test(`${what} is a denial, not an exception`, () => {
    const decision = permissive.decide(request);
    assert.equal(decision.allowed, false);
    assert.deepEqual(decision.policies, []);
    assert.match(decision.reason, /^policy error: ./);
    assert.ok(decision.reason.length < 600);
  });
}

test('an error in one policy denies, although another permits', () => {
  for (const effect of ['permit', 'forbid']) {
    const overflow = `@id("overflow") ${effect} (principal, action, resource) when { 9223372036854775807 + 1 == 0 };`;
    const engine = createPolicyEngine({
      ...SHIPPED,
      policies: { 'a.cedar': PERMIT_ALL, 'b.cedar': overflow },
    });
    const decision = engine.decide(FINE);
    assert.equal(decision.allowed, false, effect);
    assert.match(decision.reason, /^policy error: overflow: .*overflow/);
  }
});

test('an undecidable request is not remembered as one that is decided', () => {
  const broken = { ...FINE, context: { ...FINE.context, source: 'nonsense' } };
  assert.equal(permissive.decide(broken).allowed, false);
  assert.equal(permissive.decide(FINE).allowed, true);
  assert.equal(permissive.decide(broken).allowed, false);
});
