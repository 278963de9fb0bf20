import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkedNow } from '../../../scripts/check-shipped.ts';
import { StartupError } from '../../../src/core/errors.ts';
import { policiesDigest, readPolicySet } from '../../../src/core/policy/policy-set.ts';
import { finish } from '../../../src/core/steps.ts';
import { documentDigest, readChecked } from '../../../src/shell/checked.ts';
import { contractOf } from '../../../src/shell/contract.ts';
import { SHIPPED } from '../policy/shipped.ts';

test('what a start takes as checked has passed all checks as it is (else: npm run checked)', async () => {
  assert.equal(JSON.stringify(await readChecked()), JSON.stringify(await checkedNow()));
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
  const checked = policiesDigest(SHIPPED);
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
    assert.notEqual(policiesDigest(sources), checked, JSON.stringify(Object.keys(change)));
  }
  const refused = (change: object): void =>
    assert.throws(() => finish(readPolicySet({ ...SHIPPED, ...change, checked })), StartupError);
  refused(others[0] ?? {});
  refused(others[1] ?? {});
  refused(others[3] ?? {});
  refused(others[4] ?? {});
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
    '{"documentSha256":1,"policiesSha256":"","document":{}}',
  ]) {
    if (text !== undefined) await writeFile(path, text);
    const known = await readChecked(path);
    assert.notEqual(known.documentSha256, documentDigest(''));
    assert.deepEqual(known, { documentSha256: '', policiesSha256: '', document: {} });
  }
});
