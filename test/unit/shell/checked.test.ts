import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkedNow } from '../../../scripts/check-shipped.ts';
import { StartupError } from '../../../src/core/errors.ts';
import { isTokenPrincipal } from '../../../src/core/identity/principal.ts';
import { createPolicyEngine } from '../../../src/core/policy/decide.ts';
import { NOWHERE, resourceOf } from '../../../src/core/policy/entities.ts';
import { checkPolicySources, policiesDigest, readPolicySet } from '../../../src/core/policy/policy-set.ts';
import { finish } from '../../../src/core/steps.ts';
import { documentDigest, readChecked } from '../../../src/shell/checked.ts';
import { contractOf } from '../../../src/shell/contract.ts';
import { ACTORS, EAST, OPERATIONS, SHIPPED } from '../policy/shipped.ts';

test('what a start takes as checked has passed all checks as it is (else: npm run checked)', async () => {
  assert.equal(JSON.stringify(await readChecked()), JSON.stringify(await checkedNow()));
});

test('what is taken as checked says nothing of where it was made', async () => {
  assert.doesNotMatch(JSON.stringify((await readChecked()).policies), /POLICY_DIR|\.cedar"/);
});

test('a document that differs in one octet is checked, and what is checked with it', async () => {
  const known = await readChecked();
  const text = await readFile(new URL('../../../openapi.yaml', import.meta.url), 'utf8');
  const { router, operations } = await contractOf(text, known);
  assert.equal(operations.all.length > 50, true);
  assert.equal(router.match('GET', { path: '/health', query: '' } as never).found, true);
  const schemas = text.lastIndexOf('\n  schemas:\n');
  for (const [right, wrong] of [
    ['type: string', 'type: strin'],
    ['minLength: 1', 'minLength: -1'],
    ['additionalProperties: false', 'additionalProperties: 1'],
  ] as const) {
    const edited = text.slice(schemas).replace(right, wrong);
    assert.notEqual(edited, text.slice(schemas), right);
    await assert.rejects(contractOf(text.slice(0, schemas) + edited, known), StartupError, wrong);
  }
  await assert.rejects(contractOf(text.replace('in: query', 'in: quer'), known), StartupError);
});

test('policies, a schema or operations that differ in one octet are checked', () => {
  const checked = checkPolicySources(SHIPPED);
  assert.equal(finish(readPolicySet({ ...SHIPPED, checked })).policies.size > 0, true);
  const forbids = { ...SHIPPED.policies };
  for (const [name, text] of Object.entries(forbids)) forbids[name] = text.replaceAll(/^permit/gm, 'forbid');
  const others = [
    { policies: forbids },
    {
      policies: {
        ...SHIPPED.policies,
        'own.cedar': '@id("own") permit (principal, action, resource) when { principal.none };',
      },
    },
    { schemaText: `${SHIPPED.schemaText}\nnamespace Other {}` },
    { schemaText: SHIPPED.schemaText.replace('"approvePlan"', '"approvePlans"') },
    { operationIds: [...SHIPPED.operationIds, 'another'] },
  ];
  for (const change of others) {
    const sources = { ...SHIPPED, ...change };
    assert.notEqual(policiesDigest(sources), checked.sha256, JSON.stringify(Object.keys(change)));
  }
  const refused = (change: object): void =>
    assert.throws(() => finish(readPolicySet({ ...SHIPPED, ...change, checked })), StartupError);
  refused(others[0] ?? {});
  refused(others[1] ?? {});
  refused(others[3] ?? {});
  refused(others[4] ?? {});
});

test('what was checked is made of the very same policies as their texts are, and decides the same', async () => {
  const { policies: checked } = await readChecked();
  assert.equal(checked.sha256, policiesDigest(SHIPPED));
  const known = finish(readPolicySet({ ...SHIPPED, checked }));
  const read = finish(readPolicySet(SHIPPED));
  for (const [id, policy] of read.policies)
    assert.deepEqual(known.policies.get(id), { ...policy, file: known.policies.get(id)?.file });
  assert.equal(known.policies.size, read.policies.size);
  const [one, other] = [createPolicyEngine({ ...SHIPPED, checked }), createPolicyEngine(SHIPPED)];
  let allowed = 0;
  for (const principal of Object.values(ACTORS))
    for (const operation of OPERATIONS.all)
      for (const ratcheted of [false, true])
        for (const operatorNetwork of [false, true]) {
          const clusterDns = operation.path.includes('{cluster_dns}') ? EAST : undefined;
          const id = operation.path.includes('{id}') ? 'one' : undefined;
          const request = {
            principal,
            operationId: operation.operationId,
            resource: resourceOf(operation, { clusterDns, id, ratcheted, revoked: false, place: NOWHERE }),
            context: {
              source: '10.0.0.1',
              operatorNetwork,
              network: '',
              moment: { hour: 1, weekday: 'monday' },
              credential:
                principal.kind === 'anonymous'
                  ? 'none'
                  : isTokenPrincipal(principal)
                    ? 'token'
                    : 'certificate',
            },
          } as const;
          const decided = one.decide(request);
          assert.deepEqual(decided, other.decide(request), `${principal.kind} ${operation.operationId}`);
          if (decided.allowed) allowed++;
        }
  assert.ok(allowed > 100, `${allowed}`);
});

test('policies with a number that JSON does not keep are taken by their texts alone', () => {
  const large =
    '@id("large") forbid (principal, action, resource) when { context.hour == 9007199254740993 };';
  const policies = { ...SHIPPED.policies, 'large.cedar': large };
  assert.throws(() => checkPolicySources({ ...SHIPPED, policies }), /a number that JSON may not keep/);
});

test('a list of what was checked that is not there, cut off or of another shape vouches for nothing', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-checked-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'checked.json');
  for (const text of [
    undefined,
    '',
    '{',
    '[]',
    'null',
    '{"documentSha256":1,"policies":{"sha256":"","schema":{},"policies":[]},"document":{}}',
    '{"documentSha256":"","policies":{"sha256":"","schema":{}},"document":{}}',
    '{"documentSha256":"","policies":{"sha256":1,"schema":{},"policies":[]},"document":{}}',
  ]) {
    if (text !== undefined) await writeFile(path, text);
    const known = await readChecked(path);
    assert.notEqual(known.documentSha256, documentDigest(''));
    assert.deepEqual(known, {
      documentSha256: '',
      policies: { sha256: '', schema: {}, policies: [] },
      document: {},
    });
  }
});
