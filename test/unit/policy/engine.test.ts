import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Principal } from '../../../src/core/identity/principal.ts';
import { createPolicyEngine, type DecisionRequest } from '../../../src/core/policy/decide.ts';
import { momentOf, NOWHERE } from '../../../src/core/policy/entities.ts';
import { ACTORS, EAST, SHIPPED, WEST } from './shipped.ts';

const ELSEWHERE = { network: '', moment: { hour: 12, weekday: 'monday' } } as const;
const REQUEST: DecisionRequest = {
  principal: ACTORS.operator,
  operationId: 'getNamespaceInputs',
  resource: { kind: 'cluster_inputs', dns: EAST, ratcheted: false, revoked: false, place: NOWHERE },
  context: { source: '10.0.0.1', operatorNetwork: true, ...ELSEWHERE, credential: 'certificate' },
};

const only = (condition: string): string =>
  `@id("only") @reason("only") permit (principal, action, resource) when { ${condition} };`;

/** Every operation needs a policy that may permit it: this one applies to all and is true of no request here. */
const REST = '@id("rest") permit (principal, action, resource) when { context.source == ip("203.0.113.1") };';

function engineOf(policy: string): ReturnType<typeof createPolicyEngine> {
  return createPolicyEngine({ ...SHIPPED, policies: { 'only.cedar': policy, 'rest.cedar': REST } });
}

test('an equal request gets the remembered decision, the very same object', () => {
  const engine = createPolicyEngine(SHIPPED);
  const decision = engine.decide(REQUEST);
  assert.equal(engine.decide(structuredClone(REQUEST)), decision);
  assert.ok(Object.isFrozen(decision) && Object.isFrozen(decision.policies));
});

// For each thing that a policy can see: a policy that looks at it, and a request that differs in it alone.
const OPERATOR = ACTORS.operator;
const VISIBLE: readonly [string, string, DecisionRequest][] = [
  [
    'the operation',
    'action == Fluxgate::Action::"getNamespaceInputs"',
    { ...REQUEST, operationId: 'getRolebindingInputs' },
  ],
  [
    "the principal's type",
    'principal is Fluxgate::Operator',
    { ...REQUEST, principal: { ...ACTORS.reader, tokenId: OPERATOR.name } },
  ],
  [
    "the principal's id",
    'principal == Fluxgate::Operator::"alex@example.com"',
    { ...REQUEST, principal: { ...OPERATOR, name: 'sam@example.com' } },
  ],
  [
    "the operator's groups",
    'principal is Fluxgate::Operator && principal.groups.contains("platform")',
    { ...REQUEST, principal: { ...OPERATOR, groups: ['plat', 'form'] } },
  ],
  [
    "the cluster's name",
    `resource is Fluxgate::ClusterInputs && resource.dns == "${EAST}"`,
    {
      ...REQUEST,
      resource: { kind: 'cluster_inputs', dns: `x${EAST}`, ratcheted: false, revoked: false, place: NOWHERE },
    },
  ],
  [
    'the ratchet',
    'resource is Fluxgate::ClusterInputs && !resource.ratcheted',
    {
      ...REQUEST,
      resource: { kind: 'cluster_inputs', dns: EAST, ratcheted: true, revoked: false, place: NOWHERE },
    },
  ],
  [
    'the source',
    'context.source.isInRange(ip("10.0.0.0/8"))',
    { ...REQUEST, context: { ...REQUEST.context, source: '192.0.2.1' } },
  ],
  [
    'the network',
    'context.operator_network',
    { ...REQUEST, context: { ...REQUEST.context, operatorNetwork: false } },
  ],
  [
    "the network's name",
    'context.network == ""',
    { ...REQUEST, context: { ...REQUEST.context, network: 'ci' } },
  ],
  [
    'the hour',
    'context.hour >= 9 && context.hour < 17',
    { ...REQUEST, context: { ...REQUEST.context, moment: { hour: 17, weekday: 'monday' } } },
  ],
  [
    'the day of the week',
    '["monday", "tuesday"].contains(context.weekday)',
    { ...REQUEST, context: { ...REQUEST.context, moment: { hour: 12, weekday: 'sunday' } } },
  ],
  [
    'the credential',
    'context.credential == "certificate"',
    { ...REQUEST, context: { ...REQUEST.context, credential: 'token' } },
  ],
];

/** A request, and one that differs from it only in how the same characters are put together. */
const ALIKE: readonly [string, string, Principal, Principal][] = [
  [
    'of a reader and of a writer with one token id',
    'principal is Fluxgate::Reader',
    { kind: 'reader', tokenId: 'ab' },
    { kind: 'writer', tokenId: 'ab' },
  ],
  [
    'of two readers',
    'principal == Fluxgate::Reader::"ab"',
    { kind: 'reader', tokenId: 'ab' },
    { kind: 'reader', tokenId: 'cd' },
  ],
  [
    'of two groups and of one whose name has a comma',
    'principal is Fluxgate::Operator && principal.groups.contains("a")',
    { ...OPERATOR, groups: ['a', 'b'] },
    { ...OPERATOR, groups: ['a,b'] },
  ],
];

for (const [what, condition, permitted, refused] of ALIKE) {
  test(`decisions ${what} are two decisions`, () => {
    const engine = engineOf(only(condition));
    for (const _ of ['first', 'remembered']) {
      assert.equal(engine.decide({ ...REQUEST, principal: permitted }).allowed, true);
      assert.equal(engine.decide({ ...REQUEST, principal: refused }).allowed, false);
    }
  });
}

for (const [what, condition, different] of VISIBLE) {
  test(`what is remembered of one request is not taken for another that differs in ${what}`, () => {
    const engine = engineOf(only(condition));
    assert.equal(engine.decide(REQUEST).allowed, true);
    assert.equal(engine.decide(different).allowed, false);
    assert.equal(engine.decide(REQUEST).allowed, true);
  });
}

test('kind and id of an object do not run into each other', () => {
  const engine = engineOf(only('resource is Fluxgate::Object && resource.kind == "namespace"'));
  const decide = (objectKind: 'namespace' | 'cluster'): boolean =>
    engine.decide({
      ...REQUEST,
      operationId: 'getNamespace',
      resource: { kind: 'object', objectKind, id: 'x', place: NOWHERE },
    }).allowed;
  assert.deepEqual([decide('namespace'), decide('cluster'), decide('namespace')], [true, false, true]);
});

test('a policy can name one object: by kind and id', () => {
  const engine = engineOf(only('resource == Fluxgate::Object::"namespace/x"'));
  const allowed = (id: string): boolean =>
    engine.decide({
      ...REQUEST,
      operationId: 'getNamespace',
      resource: { kind: 'object', objectKind: 'namespace', id, place: NOWHERE },
    }).allowed;
  assert.deepEqual([allowed('x'), allowed('y')], [true, false]);
});

test('what a policy cannot see does not stand in the way of remembering', () => {
  const engine = createPolicyEngine(SHIPPED);
  const renewed = { ...OPERATOR.certificate, serial: '02', sha256: 'ff', notAfter: 99 };
  const decision = engine.decide(REQUEST);
  assert.equal(engine.decide({ ...REQUEST, principal: { ...OPERATOR, certificate: renewed } }), decision);
});

test('an engine keeps to its own policies, however many newer ones there are', () => {
  const first = engineOf(only('context.source == ip("10.0.0.1")'));
  const newer = Array.from({ length: 20 }, (_, index) =>
    engineOf(only(`context.source == ip("192.0.2.${index}")`)),
  );
  const allowed = (engine: typeof first, source: string): boolean =>
    engine.decide({ ...REQUEST, context: { ...REQUEST.context, source } }).allowed;
  for (const round of [1, 2]) {
    assert.equal(allowed(first, '10.0.0.1'), true, `round ${round}`);
    assert.equal(allowed(first, `192.0.2.${round}`), false);
    for (const [index, engine] of newer.entries()) {
      assert.equal(allowed(engine, `192.0.2.${index}`), true);
      assert.equal(allowed(engine, '10.0.0.1'), false);
    }
  }
});

test('several policies that decide are all named, sorted, with their reasons', () => {
  const engine = engineOf(
    '@id("b") @reason("second") permit (principal, action, resource); @id("a") @reason("first") permit (principal, action, resource); @id("c") permit (principal, action, resource);',
  );
  assert.deepEqual(engine.decide(REQUEST), {
    allowed: true,
    policies: ['a', 'b', 'c'],
    reason: 'first; second; c',
  });
});

test('the moment of a decision is read in UTC', () => {
  assert.deepEqual(momentOf(Date.UTC(2026, 10, 21, 23, 59, 59)), { hour: 23, weekday: 'saturday' });
  assert.deepEqual(momentOf(Date.UTC(2026, 10, 22)), { hour: 0, weekday: 'sunday' });
  assert.throws(() => momentOf(Number.NaN));
  const names = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
  for (let hour = -100_000; hour < 1_000_000; hour += 977) {
    const atMs = hour * 3_600_000 + (hour % 2 === 0 ? 0 : 3_599_999);
    const date = new Date(atMs);
    const { hour: saw, weekday } = momentOf(atMs);
    assert.deepEqual([saw, weekday], [date.getUTCHours(), names[date.getUTCDay()]], date.toISOString());
  }
});

const ALL_LOOKED_AT =
  '@id("looks") @reason("looks") forbid (principal, action, resource) when { context.source == ip("203.0.113.9") && ' +
  'context.network == "x" && context.hour == 99 && context.weekday == "x" };';

// A poll's key is made by a short way of its own: nothing that a policy can see may be missing from it.
test("a poll that differs in anything is not given another's decision", () => {
  const { cluster } = ACTORS;
  const resource = { ...REQUEST.resource, kind: 'cluster_inputs', dns: EAST } as const;
  const poll = { ...REQUEST, principal: cluster } as const;
  const asked = { ...resource, ratcheted: false, revoked: false, place: NOWHERE };
  const { context } = poll;
  const others: readonly DecisionRequest[] = [
    poll,
    { ...poll, operationId: 'getRolebindingInputs' },
    { ...poll, principal: { ...cluster, dns: WEST } },
    { ...poll, resource: { ...asked, dns: WEST } },
    { ...poll, resource: { ...asked, ratcheted: true } },
    { ...poll, resource: { ...asked, revoked: true } },
    { ...poll, resource: { ...asked, place: { environment: 'prod', labels: [] } } },
    { ...poll, resource: { ...asked, place: { environment: '', labels: ['a=b'] } } },
    { ...poll, context: { ...context, source: '10.0.0.2' } },
    { ...poll, context: { ...context, operatorNetwork: false } },
    { ...poll, context: { ...context, network: 'ci' } },
    { ...poll, context: { ...context, moment: { hour: 13, weekday: 'monday' } } },
    { ...poll, context: { ...context, moment: { hour: 12, weekday: 'sunday' } } },
    { ...poll, context: { ...context, credential: 'token' } },
    { ...poll, context: { ...context, allowsSecrets: true } },
    // What moves from one text into the next: the lengths keep them apart.
    { ...poll, principal: { ...cluster, dns: `${EAST} 20 ${EAST}` } },
    { ...poll, resource: { ...asked, dns: `${EAST} 0  10.0.0.1` } },
  ];
  const engine = createPolicyEngine({
    ...SHIPPED,
    policies: { ...SHIPPED.policies, 'all.cedar': ALL_LOOKED_AT },
  });
  for (const [number, request] of others.entries()) {
    engine.decide(request);
    assert.equal(engine.lookups.misses, number + 1, JSON.stringify(request));
  }
  for (const request of others) engine.decide({ ...request });
  assert.equal(engine.lookups.misses, others.length);
  assert.equal(engine.decide(poll).allowed, true);
});
