import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CommandFailed } from '../../src/cli/context.ts';
import { policyCheck, policyTest } from '../../src/cli/policy-tables.ts';

const SHIPPED = fileURLToPath(new URL('../../policy/', import.meta.url));

async function copy(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-policy-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await cp(SHIPPED, directory, { recursive: true });
  return directory;
}

interface Run {
  readonly lines: readonly string[];
  /** undefined: it succeeded. */
  readonly failure: string | undefined;
}

async function run(command: typeof policyCheck, directory?: string, environment = {}): Promise<Run> {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const context = { environment, workingDirectory: '/', logDestination: { write() {} }, print };
  try {
    await command(context, directory);
    return { lines, failure: undefined };
  } catch (error) {
    assert.ok(error instanceof CommandFailed, String(error));
    return { lines, failure: error.message };
  }
}

describe('fluxgate policy', () => {
  it('finds nothing wrong with what is shipped, and its tables speak of every operation', async () => {
    assert.match((await run(policyCheck)).lines.join(), /\d+ policies, and nothing wrong/);
    const { lines, failure } = await run(policyTest);
    assert.equal(failure, undefined);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', /^\d{4} decisions of 2 tables are as they should be$/);
  });

  it('takes the example for GitHub Actions', async (t) => {
    const directory = await copy(t);
    await cp(join(directory, 'examples/github-actions.cedar'), join(directory, 'github-actions.cedar'));
    assert.equal((await run(policyCheck, directory)).failure, undefined);
    assert.equal((await run(policyTest, undefined, { POLICY_DIR: directory })).failure, undefined);
  });

  for (const [what, text, problem] of [
    [
      'a slip in the syntax',
      '@id("x")\npermit (principal, action,\n  resource) when { tru };',
      /^\/\S+\/x\.cedar:3:/,
    ],
    [
      'an attribute that is not there',
      '@id("x")\npermit (principal is Fluxgate::Operator, action, resource)\nwhen {\n  principal.role == "a" };',
      /^\/\S+\/x\.cedar:4:3: .*role/,
    ],
    ['no @id', '\n\npermit (principal, action, resource);', /^\/\S+\/x\.cedar:3:1: .*@id/],
    [
      'a policy that can never apply',
      '@id("x")\npermit (principal, action == Fluxgate::Action::"getHealth", resource is Fluxgate::Fleet);',
      /^\/\S+\/x\.cedar:1:/,
    ],
    [
      'an @id that is taken',
      '@id("role-viewer")\npermit (principal is Fluxgate::Writer, action, resource);',
      /^\/\S+\/x\.cedar:1:1: .*role-viewer/,
    ],
  ] as const) {
    it(`check names file, line and column of ${what}`, async (t) => {
      const directory = await copy(t);
      await writeFile(join(directory, 'x.cedar'), text);
      assert.match((await run(policyCheck, directory)).failure ?? '', problem);
    });
  }

  it('test names each decision that is not as the table has it: too much, and too little', async (t) => {
    const directory = await copy(t);
    const viewer = join(directory, 'role-viewer.cedar');
    await writeFile(viewer, (await readFile(viewer, 'utf8')).replace('"fluxRead"', '"fleetWrite"'));
    const { failure = '' } = await run(policyTest, directory);
    assert.match(
      failure,
      /^shipped\.yaml: decision \d+: viewer: getNamespaceInputs: should be permitted, and is not \(no policy permits it\)$/m,
    );
    assert.match(
      failure,
      /^shipped\.yaml: decision \d+: viewer: patchCluster: should be refused, and is not \(role-viewer\)$/m,
    );
    assert.doesNotMatch(failure, /editor:/);
    assert.match(failure, /\d+ of \d+ decisions are not as the tables have them$/);
  });

  for (const [what, table, problem] of [
    ['no YAML', 'a: [', /^bad\.yaml: /],
    [
      'an operation that is not there',
      'principals: {}\ndecisions: [{ operations: [getNothing] }]',
      /decision 1: getNothing is no operation/,
    ],
    [
      'somebody who is not there',
      'principals: {}\ndecisions: [{ operations: [getHealth], permit: [me] }]',
      /"me", who is not in principals/,
    ],
    [
      'a misspelt field',
      'principals: {}\ndecisions: [{ operations: [getHealth], permits: [] }]',
      /nobody knows the field permits/,
    ],
    [
      'an unknown role',
      'principals: { a: { kind: operator_token, roles: [root] } }\ndecisions: []',
      /root is not one of viewer/,
    ],
    ['an unknown kind', 'principals: { a: { kind: god } }\ndecisions: []', /kind is not one of anonymous/],
  ] as const) {
    it(`test refuses a table with ${what}`, async (t) => {
      const directory = await copy(t);
      await writeFile(join(directory, 'tests/bad.yaml'), table);
      assert.match((await run(policyTest, directory)).failure ?? '', problem);
    });
  }

  it('test without a table is a failure, not a success', async (t) => {
    const directory = await copy(t);
    for (const name of ['shipped', 'secrets']) await rm(join(directory, `tests/${name}.yaml`));
    assert.match((await run(policyTest, directory)).failure ?? '', /has no decision table/);
    await rm(join(directory, 'tests'), { recursive: true });
    assert.match((await run(policyTest, directory)).failure ?? '', /cannot be listed/);
  });
});
