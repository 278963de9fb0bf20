import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { createPolicyEngine, type DecisionRequest } from '../../../src/core/policy/decide.ts';
import { NOWHERE } from '../../../src/core/policy/entities.ts';
import { contextLookedAt } from '../../../src/core/policy/looked-at.ts';
import { ACTORS, EAST, SHIPPED } from './shipped.ts';

function lookedAt(condition: string): readonly string[] | undefined {
  const parsed = policyToJson(`permit (principal, action, resource) ${condition};`);
  assert.equal(parsed.type, 'success');
  const found = contextLookedAt(parsed.type === 'success' ? parsed.json : undefined);
  return found === undefined ? undefined : [...found].sort();
}

const FOUND: readonly [string, readonly string[]][] = [
  ['', []],
  ['when { principal == resource }', []],
  ['when { context.hour == 1 }', ['hour']],
  ['unless { !(context has hour) || context.weekday like "m*" }', ['hour', 'weekday']],
  ['when { context["not a name"] }', ['not a name']],
  [
    'when { [context.a, {"b": context.b.c}].contains(if context.d then context.e else principal.f) }',
    ['a', 'b', 'd', 'e'],
  ],
  ['when { context.source.isInRange(ip("10.0.0.0/8")) }', ['source']],
  ['when { principal.context == "context" && resource has context }', []],
];
for (const [condition, attributes] of FOUND) {
  test(`reads ${attributes.join(', ') || 'nothing'}: ${condition}`, () => {
    assert.deepEqual(lookedAt(condition), attributes);
  });
}

for (const condition of [
  'when { context == {"hour": 1} }',
  'when { [context].contains({"hour": 1}) }',
  'when { (if principal == resource then context else {"hour": 1}).hour == 1 }',
  'when { {"x": context}.x.hour == 1 }',
]) {
  test(`may read anything: ${condition}`, () => {
    assert.equal(lookedAt(condition), undefined);
  });
}

// What no policy reads is not in a poll's key: so whatever way there is to read it must be seen.
const CONTEXT: DecisionRequest['context'] = {
  source: '10.0.0.1',
  operatorNetwork: true,
  network: '',
  moment: { hour: 12, weekday: 'monday' },
  credential: 'certificate',
};
const POLL: DecisionRequest = {
  principal: ACTORS.cluster,
  operationId: 'getNamespaceInputs',
  resource: { kind: 'cluster_inputs', dns: EAST, ratcheted: false, revoked: false, place: NOWHERE },
  context: CONTEXT,
};
const only = (condition: string): string =>
  `@id("only") permit (principal, action, resource) when { ${condition} };`;
/** Every operation needs a policy that may permit it: this one reads nothing of the context. */
const REST =
  '@id("rest") permit (principal, action, resource) when { principal == Fluxgate::Operator::"nobody" };';
const READ: readonly [attribute: string, condition: string, other: DecisionRequest['context']][] = [
  ['the hour', 'context.hour == 12', { ...CONTEXT, moment: { hour: 13, weekday: 'monday' } }],
  ['the hour', '[11, 12].contains(context.hour)', { ...CONTEXT, moment: { hour: 13, weekday: 'monday' } }],
  ['the hour', '!(context.hour > 12)', { ...CONTEXT, moment: { hour: 13, weekday: 'monday' } }],
  [
    'the hour',
    'if context has hour && context.hour < 13 then true else false',
    { ...CONTEXT, moment: { hour: 13, weekday: 'monday' } },
  ],
  ['the day', 'context.weekday like "mon*"', { ...CONTEXT, moment: { hour: 12, weekday: 'sunday' } }],
  ['the day', 'context["weekday"] == "monday"', { ...CONTEXT, moment: { hour: 12, weekday: 'sunday' } }],
  [
    'the day',
    '{ "day": context.weekday } == { "day": "monday" }',
    { ...CONTEXT, moment: { hour: 12, weekday: 'sunday' } },
  ],
  ['the address', 'context.source.isInRange(ip("10.0.0.0/31"))', { ...CONTEXT, source: '10.0.0.2' }],
  ['the address', 'context.source == ip("10.0.0.1")', { ...CONTEXT, source: '2001:db8::1' }],
  ['the network', 'context.network == ""', { ...CONTEXT, network: 'ci' }],
  ['the network', '["", "x"].contains(context.network)', { ...CONTEXT, network: 'ci' }],
];

for (const [attribute, condition, context] of READ) {
  test(`a poll is decided about anew where a policy reads ${attribute}: ${condition}`, () => {
    const engine = createPolicyEngine({
      ...SHIPPED,
      policies: { 'only.cedar': only(condition), 'rest.cedar': REST },
    });
    assert.equal(engine.decide(POLL).allowed, true);
    assert.equal(engine.decide({ ...POLL, context }).allowed, false);
    assert.equal(engine.decide(POLL).allowed, true);
  });
}

test('what no policy reads makes no other decision of a poll', () => {
  const engine = createPolicyEngine(SHIPPED);
  engine.decide(POLL);
  engine.decide({ ...POLL, context: { ...CONTEXT, source: '10.9.9.9', network: 'ci' } });
  engine.decide({ ...POLL, context: { ...CONTEXT, moment: { hour: 1, weekday: 'sunday' } } });
  assert.deepEqual(engine.lookups, { hits: 2, misses: 1 });
  // It is no address, and a denial: nothing that was remembered of one that is may be given for it.
  assert.equal(engine.decide({ ...POLL, context: { ...CONTEXT, source: 'unknown' } }).allowed, false);
});
