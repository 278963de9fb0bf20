import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planFacts } from '../../../src/core/fleet/approval.ts';
import type { FieldChange, InputVerdict, Plan } from '../../../src/core/fleet/plan.ts';
import { summarisePlan } from '../../../src/core/fleet/plan-summary.ts';

const planOf = (change: InputVerdict, ...fields: FieldChange[]): Plan => ({
  hash: '',
  objects: [],
  warnings: [],
  clusters: [
    {
      id: 'east',
      cluster_dns: 'east.k8s.example.com',
      environment: 'prod',
      state: 'active',
      answers: 'stays',
      served_before: 1,
      routes: [
        {
          route: 'platform-components',
          inputs_before: 1,
          inputs_after: 1,
          reordered: false,
          inputs: [{ id: 'a', change, fields }],
        },
      ],
    },
  ],
});
const verdict = (plan: Plan) => [
  summarisePlan(plan).reasons.map(({ rule }) => rule),
  planFacts(plan).takesAway,
];

test('to end or change a verification takes a protection away, whatever else changes; to begin one does not', () => {
  const ends = { field: '/verify', before: { provider: 'cosign' } };
  const another = { field: '/verify/match_oidc_identity', before: [], after: [] };
  const begins = { field: '/verify', after: { provider: 'cosign' } };
  assert.deepEqual(verdict(planOf('changed', ends)), [['signature'], true]);
  assert.deepEqual(verdict(planOf('changed', another)), [['signature'], true]);
  assert.deepEqual(verdict(planOf('enabled', { field: '/enabled', before: false, after: true }, ends)), [
    ['signature'],
    true,
  ]);
  assert.deepEqual(verdict(planOf('changed', begins)), [[], false]);
  assert.deepEqual(verdict(planOf('changed', { field: '/verify_not', before: 1 })), [[], false]);
  assert.deepEqual(verdict(planOf('added', begins)), [[], false]);
  // Taken away and brought back without it: the first step asks.
  assert.deepEqual(verdict(planOf('removed', ends))[0], ['signature']);
  assert.deepEqual(verdict(planOf('removed', { field: '', before: { id: 'a', verify: {} } }))[0], [
    'signature',
  ]);
  assert.deepEqual(verdict(planOf('removed', { field: '', before: { id: 'a' } }))[0], []);
});
