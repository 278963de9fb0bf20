import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPolicyEngine, type Decision } from '../../../src/core/policy/decide.ts';
import { NOWHERE, type PolicyContext, resourceOf } from '../../../src/core/policy/entities.ts';
import type { Operation } from '../../../src/core/policy/operations.ts';
import { ACTORS, EAST, OPERATIONS, SHIPPED, WEST } from './shipped.ts';

const ELSEWHERE = { network: '', moment: { hour: 12, weekday: 'monday' } } as const;
const engine = createPolicyEngine(SHIPPED);

type Actor = keyof typeof ACTORS;

const CREDENTIAL = {
  cluster: 'certificate',
  operator: 'certificate',
  reader: 'token',
  writer: 'token',
  anonymous: 'none',
} as const satisfies Record<Actor, PolicyContext['credential']>;

interface Circumstances {
  readonly clusterDns: string;
  readonly ratcheted: boolean;
  readonly revoked: boolean;
  readonly operatorNetwork: boolean;
}

function decide(actor: Actor, operation: Operation, circumstances: Circumstances, by = engine): Decision {
  const { operatorNetwork, ...names } = circumstances;
  return by.decide({
    principal: ACTORS[actor],
    operationId: operation.operationId,
    resource: resourceOf(operation, { ...names, id: 'cert-manager' }),
    context: { source: '2001:db8::1', operatorNetwork, ...ELSEWHERE, credential: CREDENTIAL[actor] },
  });
}

/** The routes of one row of the table. */
function routes(
  row: 'public' | 'list for Flux' | 'inputs' | 'reports' | 'operator routes' | 'signing in' | 'assets',
): readonly Operation[] {
  return OPERATIONS.all.filter(({ audience, path, method, operationId }) => {
    if (operationId === 'signInOnPage') return row === 'signing in';
    if (operationId === 'getAsset') return row === 'assets';
    if (audience === 'public') return row === 'public';
    if (audience === 'operator') return row === 'operator routes';
    if (method === 'POST') return row === 'reports';
    return row === (path.includes('{cluster_dns}') ? 'inputs' : 'list for Flux');
  });
}

test('the rows of the table are all operations of the document', () => {
  const rows = [
    'public',
    'list for Flux',
    'inputs',
    'reports',
    'operator routes',
    'signing in',
    'assets',
  ] as const;
  assert.deepEqual(
    rows.map((row) => routes(row).length),
    [3, 1, 3, 1, 65, 1, 1],
  );
});

const OWN: Circumstances = { clusterDns: EAST, ratcheted: false, revoked: false, operatorNetwork: false };
const OTHER: Circumstances = { ...OWN, clusterDns: WEST };
const RATCHETED: Circumstances = { ...OWN, ratcheted: true };
const REVOKED: Circumstances = { ...OWN, revoked: true };
const OPERATORS_NETWORK: Circumstances = { ...OWN, operatorNetwork: true };

// Who is let in by which policy; every other actor is refused.
const TABLE: readonly [
  Parameters<typeof routes>[0],
  string,
  Circumstances,
  Partial<Record<Actor, string>>,
][] = [
  [
    'public',
    'from anywhere',
    OWN,
    {
      cluster: 'public-anybody',
      operator: 'public-anybody',
      reader: 'public-anybody',
      writer: 'public-anybody',
      anonymous: 'public-anybody',
    },
  ],
  [
    'list for Flux',
    'from anywhere',
    OWN,
    {
      operator: 'operators-flux-certificate',
      reader: 'readers-cluster-list',
      writer: 'operators-flux-write-token',
    },
  ],
  [
    'inputs',
    'of the cluster itself',
    OWN,
    {
      cluster: 'clusters-own-inputs',
      operator: 'operators-flux-certificate',
      reader: 'readers-cluster-inputs',
      writer: 'operators-flux-write-token',
    },
  ],
  [
    'inputs',
    'of the cluster itself, ratcheted',
    RATCHETED,
    { cluster: 'clusters-own-inputs', operator: 'operators-flux-certificate' },
  ],
  [
    'inputs',
    // Its certificates never come as far as a policy.
    'of the cluster itself, revoked',
    REVOKED,
    { cluster: 'clusters-own-inputs', operator: 'operators-flux-certificate' },
  ],
  [
    'inputs',
    'of another cluster',
    OTHER,
    {
      operator: 'operators-flux-certificate',
      reader: 'readers-cluster-inputs',
      writer: 'operators-flux-write-token',
    },
  ],
  [
    'inputs',
    'of another cluster, ratcheted',
    { ...OTHER, ratcheted: true },
    { operator: 'operators-flux-certificate' },
  ],
  ['reports', 'of the cluster itself', OWN, { cluster: 'clusters-own-report' }],
  ['reports', 'of the cluster itself, ratcheted', RATCHETED, { cluster: 'clusters-own-report' }],
  ['reports', 'of the cluster itself, revoked', REVOKED, { cluster: 'clusters-own-report' }],
  ['reports', 'of another cluster', OTHER, {}],
  [
    'operator routes',
    "from the operators' networks",
    OPERATORS_NETWORK,
    { operator: 'operators-certificate', writer: 'operators-write-token' },
  ],
  ['operator routes', 'from elsewhere', OWN, {}],
  ['signing in', "from the operators' networks", OPERATORS_NETWORK, { anonymous: 'page-sign-in' }],
  ['signing in', 'from elsewhere', OWN, {}],
  [
    'assets',
    "from the operators' networks",
    OPERATORS_NETWORK,
    { anonymous: 'page-assets', operator: 'page-assets' },
  ],
  ['assets', 'from elsewhere', OWN, {}],
];

for (const [row, where, circumstances, permitted] of TABLE) {
  for (const actor of Object.keys(ACTORS) as Actor[]) {
    const policy = permitted[actor];
    test(`${row} ${where}: ${actor} is ${policy === undefined ? 'refused' : 'let in'}`, () => {
      for (const operation of routes(row)) {
        const decision = decide(actor, operation, circumstances);
        assert.equal(decision.allowed, policy !== undefined, `${operation.operationId}: ${decision.reason}`);
        if (policy !== undefined) assert.deepEqual(decision.policies, [policy]);
        assert.doesNotMatch(decision.reason, /policy error/);
      }
    });
  }
}

test('the permits alone refuse the same: never.cedar is a second line, not the first', () => {
  const { 'never.cedar': _, ...policies } = SHIPPED.policies;
  const without = createPolicyEngine({ ...SHIPPED, policies });
  for (const [row, where, circumstances, permitted] of TABLE) {
    // From which network operators may come is never.cedar's alone, beside the gateway's own gate.
    if (where === 'from elsewhere') continue;
    for (const actor of Object.keys(ACTORS) as Actor[]) {
      for (const operation of routes(row)) {
        const { allowed } = decide(actor, operation, circumstances, without);
        assert.equal(allowed, actor in permitted, `${actor} ${operation.operationId} ${where}`);
      }
    }
  }
});

test('never.cedar alone holds against a policy that permits everything', () => {
  const careless = createPolicyEngine({
    ...SHIPPED,
    policies: {
      'never.cedar': SHIPPED.policies['never.cedar'] ?? '',
      'careless.cedar': '@id("careless") permit (principal, action, resource);',
    },
  });
  const refused = (row: Parameters<typeof routes>[0], circumstances: Circumstances): Actor[] =>
    (Object.keys(ACTORS) as Actor[]).filter((actor) =>
      routes(row).every((operation) => !decide(actor, operation, circumstances, careless).allowed),
    );
  assert.deepEqual(refused('public', OWN), []);
  assert.deepEqual(refused('list for Flux', OWN), ['cluster', 'anonymous']);
  assert.deepEqual(refused('inputs', OWN), ['anonymous']);
  assert.deepEqual(refused('inputs', OTHER), ['cluster', 'anonymous']);
  assert.deepEqual(refused('operator routes', OPERATORS_NETWORK), ['cluster', 'anonymous']);
  assert.deepEqual(refused('operator routes', OWN), Object.keys(ACTORS));
  for (const row of ['signing in', 'assets'] as const) {
    assert.deepEqual(refused(row, OPERATORS_NETWORK), ['cluster']);
    assert.deepEqual(refused(row, OWN), Object.keys(ACTORS));
  }
});

test('a refusal names the policy that refused, and its reason', () => {
  const [inputs] = routes('inputs');
  const [list] = routes('list for Flux');
  const [operator] = routes('operator routes');
  assert.ok(inputs && list && operator);
  const ids = (actor: Actor, operation: Operation, circumstances: Circumstances): readonly string[] =>
    decide(actor, operation, circumstances).policies;
  assert.deepEqual(ids('reader', inputs, RATCHETED), ['ratchet-tokens']);
  assert.deepEqual(ids('reader', inputs, REVOKED), ['revoked-cluster-tokens']);
  assert.deepEqual(ids('writer', inputs, { ...REVOKED, ratcheted: true }), [
    'ratchet-tokens',
    'revoked-cluster-tokens',
  ]);
  assert.deepEqual(ids('cluster', inputs, OTHER), ['never-other-cluster']);
  assert.deepEqual(ids('cluster', list, OWN), ['never-cluster-lists-fleet']);
  assert.deepEqual(ids('cluster', operator, OPERATORS_NETWORK), ['never-cluster-operates']);
  assert.deepEqual(ids('anonymous', inputs, OWN), ['never-anonymous']);
  assert.deepEqual(ids('operator', operator, OWN), ['never-operators-elsewhere']);
  assert.deepEqual(decide('reader', operator, OPERATORS_NETWORK), {
    allowed: false,
    policies: [],
    reason: 'no policy permits it',
  });
  assert.equal(
    decide('reader', inputs, RATCHETED).reason,
    'this cluster has been served by its certificate: tokens no longer work for it',
  );
});

test('a name that contains, begins with or ends in the own name is another name', () => {
  const [inputs] = routes('inputs');
  assert.ok(inputs);
  for (const clusterDns of [
    `${EAST}.attacker.example`,
    `x${EAST}`,
    `x.${EAST}`,
    EAST.slice(1),
    EAST.toUpperCase(),
    '*',
  ]) {
    assert.equal(decide('cluster', inputs, { ...OWN, clusterDns }).allowed, false, clusterDns);
  }
});

test("the exception that ratchet.cedar explains opens that cluster's path to tokens, and no other", () => {
  const exception = `unless { ["${EAST}"].contains(resource.dns) }`;
  const ratchet = SHIPPED.policies['ratchet.cedar'] ?? '';
  const excepted = createPolicyEngine({
    ...SHIPPED,
    policies: { ...SHIPPED.policies, 'ratchet.cedar': ratchet.replace(/;\s*$/, `\n${exception};`) },
  });
  const allowed = (dns: string): boolean =>
    excepted.decide({
      principal: ACTORS.reader,
      operationId: 'getNamespaceInputs',
      resource: { kind: 'cluster_inputs', dns, ratcheted: true, revoked: false, place: NOWHERE },
      context: { source: '10.0.0.1', operatorNetwork: false, ...ELSEWHERE, credential: 'token' },
    }).allowed;
  assert.deepEqual([allowed(EAST), allowed(WEST)], [true, false]);
});
