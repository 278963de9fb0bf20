import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartupError } from '../../../src/core/errors.ts';
import { createPolicyEngine, createPolicyEngineInSteps } from '../../../src/core/policy/decide.ts';
import type { PolicySources } from '../../../src/core/policy/policy-set.ts';
import { SHIPPED } from './shipped.ts';

// Policies are taken as a whole or refused as a whole, with the file and the reason.

type Change = Partial<PolicySources>;

const withPolicy = (text: string): Change => ({ policies: { ...SHIPPED.policies, 'extra.cedar': text } });
const withoutFile = (name: string): Change => ({
  policies: Object.fromEntries(Object.entries(SHIPPED.policies).filter(([file]) => file !== name)),
});
const withSchema = (from: string, to: string): Change => {
  assert.ok(SHIPPED.schemaText.includes(from), `the schema has ${from}`);
  return { schemaText: SHIPPED.schemaText.replace(from, to) };
};

const SCOPE = 'permit (principal, action, resource)';

const REFUSED: readonly [string, Change, RegExp][] = [
  ['text that is no policy', withPolicy('\n\npermit (principal'), /^extra\.cedar:3:\d+: .*unexpected end/],
  ['a policy without @id', withPolicy(`// é\n${SCOPE};`), /^extra\.cedar:2:\d+: .*no @id/],
  ['an empty @id', withPolicy(`@id("") ${SCOPE};`), /^extra\.cedar:1:\d+: .*no @id/],
  [
    'an @id that would break a log line',
    withPolicy(`@id("a\\nb") ${SCOPE};`),
    /^extra\.cedar:1:\d+: .*no @id/,
  ],
  [
    'an @id that is taken in another file',
    withPolicy(`@id("public-anybody") ${SCOPE};`),
    /^public\.cedar:\d+:\d+: @id\("public-anybody"\) is taken in extra\.cedar$/,
  ],
  [
    'an @id that is taken in the same file',
    withPolicy(`@id("x") ${SCOPE};\n@id("x") forbid (principal, action, resource) when { false == true };`),
    /^extra\.cedar:2:\d+: @id\("x"\) is taken in extra\.cedar$/,
  ],
  [
    'an attribute that the schema does not have',
    withPolicy(`@id("x")\n${SCOPE}\nwhen { principal.colour == "blue" };`),
    /^extra\.cedar:3:\d+: .*attribute `colour`/,
  ],
  [
    'a comparison of things that are never equal',
    withPolicy(`@id("x") ${SCOPE} when { context.credential == true };`),
    /^extra\.cedar:1:\d+: /,
  ],
  [
    'an action that the schema does not have',
    withPolicy('@id("x") permit (principal, action == Fluxgate::Action::"getSecrets", resource);'),
    /^extra\.cedar:1:\d+: .*getSecrets/,
  ],
  [
    'a policy that can never apply (a warning of Cedar)',
    withPolicy(
      '@id("x") permit (principal, action == Fluxgate::Action::"getHealth", resource is Fluxgate::Fleet);',
    ),
    /^extra\.cedar:1:\d+: .*applicable action/,
  ],
  [
    'a template, which nobody fills in',
    withPolicy('@id("x") permit (principal == ?principal, action, resource);'),
    /^extra\.cedar: .*template/,
  ],
  ['no policies', { policies: {} }, /^there are no policies/],
  ['files without a policy in them', { policies: { 'a.cedar': '// nothing' } }, /^there are no policies/],
  ['a schema that is none', { schemaText: 'namespace Fluxgate {' }, /^fluxgate\.cedarschema:1:\d+: /],
  ['another namespace', withSchema('namespace Fluxgate {', 'namespace Other {'), /no namespace Fluxgate/],
  [
    'a schema without a type that it speaks of',
    withSchema('entity Fleet =', 'entity Flotilla ='),
    /^fluxgate\.cedarschema:\d+:\d+: .*Fleet/,
  ],
  [
    'an operation without an action',
    withSchema('"getHealth", "getReady", ', ''),
    /^fluxgate\.cedarschema: lacks an action .*: getHealth, getReady$/,
  ],
  [
    'an action without an operation',
    withSchema('"getHealth", ', '"getHealth", "getSecrets", "getWealth", '),
    /^fluxgate\.cedarschema: has actions .*: getSecrets, getWealth$/,
  ],
  [
    'an operation that no policy permits to anybody',
    withoutFile('public.cedar'),
    /^no policy permits these operations .*: getHealth, getReady, getOpenapi$/,
  ],
  [
    'an operation that policies only ever forbid',
    {
      policies: {
        ...withoutFile('public.cedar').policies,
        'extra.cedar': '@id("x") forbid (principal, action, resource) when { context.credential == "none" };',
      },
    },
    /^no policy permits these operations .*: getHealth, getReady, getOpenapi$/,
  ],
  [
    'a mistake of the gateway in its operations',
    { operationIds: [] },
    /^fluxgate\.cedarschema: has actions /,
  ],
];

for (const [what, change, message] of REFUSED) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => createPolicyEngine({ ...SHIPPED, ...change }),
      (error) => {
        assert.ok(error instanceof StartupError, String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/, 'one line');
        return true;
      },
    );
  });
}

test('the shipped policies are accepted, and each says why it is there', () => {
  const engine = createPolicyEngine(SHIPPED);
  assert.equal(engine.generation, 1);
  const text = Object.values(SHIPPED.policies).join('\n');
  assert.equal(text.match(/^@id\(/gm)?.length, engine.policyIds.length);
  assert.equal(text.match(/^@reason\(".{10,}"\)$/gm)?.length, engine.policyIds.length);
});

test('policies are read in steps, so that a reload holds nobody up for all of them', () => {
  const steps = createPolicyEngineInSteps(SHIPPED);
  let yields = 0;
  while (steps.next().done !== true) yields++;
  const files = Object.keys(SHIPPED.policies).length;
  assert.ok(yields > 2 * files, `${yields} yields for ${files} files`);
});

test('what is wrong is told with the names that the texts were given', () => {
  const schemaFile = 'POLICY_DIR: /etc/policy/fluxgate.cedarschema';
  assert.throws(
    () => createPolicyEngine({ ...SHIPPED, schemaFile, schemaText: 'namespace' }),
    (error) =>
      error instanceof StartupError &&
      /^POLICY_DIR: \/etc\/policy\/fluxgate\.cedarschema:1:\d+: /.test(error.message),
  );
});
