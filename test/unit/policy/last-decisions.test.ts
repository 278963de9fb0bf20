import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createPolicyEngine,
  type Decision,
  type DecisionRequest,
  type PolicyEngine,
} from '../../../src/core/policy/decide.ts';
import { momentOf, NOWHERE, type PolicyContext } from '../../../src/core/policy/entities.ts';
import { lastDecisions } from '../../../src/core/policy/last-decisions.ts';
import { placeOfCluster } from '../../../src/core/policy/place.ts';
import { contextOf } from '../../../src/shell/http/authorise.ts';
import { ACTORS, EAST, SHIPPED } from './shipped.ts';

const MONDAY_NOON = Date.UTC(2026, 10, 23, 12);
const operator = ACTORS.operator;
const place = Object.freeze({ environment: 'dev', labels: Object.freeze(['team=a']) });
const resource = { kind: 'object', objectKind: 'cluster', id: 'a', place } as const;
const context: PolicyContext = {
  source: '10.0.0.1',
  operatorNetwork: true,
  network: 'office',
  moment: momentOf(MONDAY_NOON),
  credential: 'certificate',
  allowsSecrets: false,
};
const asked: DecisionRequest = { principal: operator, operationId: 'getCluster', resource, context };
const decision: Decision = { allowed: true, policies: ['one'], reason: 'r' };

/** For each attribute of the context: another value of it. */
const OTHER: { readonly [A in keyof Required<PolicyContext>]: PolicyContext[A] } = {
  source: '10.0.0.2',
  operatorNetwork: false,
  network: 'ci',
  moment: momentOf(MONDAY_NOON + 3_600_000),
  credential: 'token',
  allowsSecrets: true,
};

const DIFFERENT: readonly (readonly [what: string, request: DecisionRequest])[] = [
  ...Object.entries(OTHER).map(
    ([name, value]) => [name, { ...asked, context: { ...context, [name]: value } }] as const,
  ),
  [
    'the day, at the same hour',
    { ...asked, context: { ...context, moment: momentOf(MONDAY_NOON + 86_400_000) } },
  ],
  ['the operation', { ...asked, operationId: 'deleteCluster' }],
  ['the id', { ...asked, resource: { ...resource, id: 'b' } }],
  ['the kind', { ...asked, resource: { ...resource, objectKind: 'namespace' } }],
  ['where it is', { ...asked, resource: { ...resource, place: { ...place, environment: 'prod' } } }],
  ['what it is labelled with', { ...asked, resource: { ...resource, place: { ...place, labels: [] } } }],
  ['that it is nowhere', { ...asked, resource: { ...resource, place: NOWHERE } }],
  ['the kind of resource', { ...asked, resource: { kind: 'gateway' } }],
  ['who asks', { ...asked, principal: { ...operator, groups: [] } }],
];

describe('what was decided last about an operator', () => {
  it('is said again to the same request', () => {
    const last = lastDecisions();
    assert.equal(last.get(asked), undefined);
    last.set(asked, decision);
    const again = {
      ...asked,
      resource: { ...resource },
      context: { ...context, moment: momentOf(MONDAY_NOON + 1) },
    };
    assert.equal(last.get(again), decision);
    const gateway = { ...asked, operationId: 'getHealth', resource: { kind: 'gateway' } } as const;
    last.set(gateway, decision);
    assert.equal(last.get(structuredClone({ ...gateway })), undefined, 'a principal that is another object');
    assert.equal(last.get({ ...gateway, resource: { kind: 'gateway' } }), decision);
    assert.equal(last.get(asked), undefined, 'no more than the last one');
  });

  for (const [what, request] of DIFFERENT) {
    it(`is not said where something else is ${what}`, () => {
      const last = lastDecisions();
      last.set(asked, decision);
      assert.equal(last.get(request), undefined);
      last.set(request, decision);
      assert.equal(last.get(asked), request.principal === operator ? undefined : decision);
    });
  }

  it('is compared in every attribute that a request has', () => {
    const { operatorNetworks } = { operatorNetworks: { nameOf: () => 'office' } };
    const made = contextOf({ operatorNetworks } as never, {
      principal: operator,
      source: '10.0.0.1',
      nowMs: MONDAY_NOON,
      allowsSecrets: false,
    });
    assert.deepEqual(Object.keys(made).sort(), Object.keys(OTHER).sort());
    assert.deepEqual(made, context);
  });

  it('is said by the policies that it was decided by, to the same principal on the same connection', () => {
    const rest =
      '@id("rest") permit (principal, action, resource) when { context.source == ip("203.0.113.1") };';
    const engineOf = (effect: string): PolicyEngine =>
      createPolicyEngine({
        ...SHIPPED,
        policies: {
          'only.cedar': `@id("only") ${effect} (principal, action, resource);`,
          'rest.cedar': rest,
        },
      });
    const engines = [engineOf('permit'), engineOf('forbid')] as const;
    for (let times = 0; times < 3; times++) {
      assert.deepEqual(
        engines.map((engine) => engine.decide(asked).allowed),
        [true, false],
      );
    }
    assert.deepEqual(engines[0].lookups, { hits: 2, misses: 1 });
  });

  it('is kept of nobody but operators with certificates, and of so many', () => {
    const last = lastDecisions();
    for (const principal of [ACTORS.cluster, ACTORS.reader]) {
      last.set({ ...asked, principal }, decision);
      assert.equal(last.get({ ...asked, principal }), undefined);
    }
    last.set(asked, decision);
    for (let number = 0; number < 2_000; number++)
      last.set({ ...asked, principal: { ...operator } }, decision);
    assert.equal(last.get(asked), undefined);
  });
});

describe('where a cluster is', () => {
  const cluster = (more: object): never =>
    ({ id: 'a', cluster_dns: EAST, environment: 'dev', labels: { team: 'a' }, ...more }) as never;

  it('is one object for a cluster that cannot change, and found anew for one that can', () => {
    const frozen = cluster(Object.freeze({ labels: Object.freeze({ team: 'a' }) }));
    Object.freeze(frozen);
    assert.deepEqual(placeOfCluster(frozen), { environment: 'dev', labels: ['team=a'] });
    assert.equal(placeOfCluster(frozen), placeOfCluster(frozen));
    for (const open of [cluster({}), Object.freeze(cluster({})) as never]) {
      placeOfCluster(open);
      (open as { labels: Record<string, string> }).labels['team'] = 'b';
      assert.deepEqual(placeOfCluster(open).labels, ['team=b']);
    }
    const moving = cluster({ labels: Object.freeze({}) });
    placeOfCluster(moving);
    (moving as { environment: string }).environment = 'prod';
    assert.equal(placeOfCluster(moving).environment, 'prod');
  });
});
