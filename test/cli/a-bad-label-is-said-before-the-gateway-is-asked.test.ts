import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LABEL_KEY, LABEL_VALUE } from '../../src/cli/objects/labels.ts';
import { readChecked } from '../../src/shell/checked.ts';
import { startCommandLine } from '../support/command-line.ts';

const COMPONENT = ['component', 'disable', 'podinfo', '--selector'];
const TOKEN = ['token', 'create', 't', '--kind', 'operator', '--role', 'editor', '--ttl', '1h', '--label'];
const LABELS: readonly (readonly string[])[] = [
  ['cluster', 'list', '--label'],
  ['cluster', 'create', 'x', '--label'],
  ['namespace', 'create', 'x', '--label'],
  COMPONENT,
  TOKEN,
];
const ANNOTATION = ['namespace', 'create', 'x', '--annotation'];
const SETTING = ['component', 'patch', 'podinfo', '--cluster', 'demo-cluster-01', '--set'];

it('what is no label, selector, annotation or setting is said in one line with what a right one looks like, and nothing is asked of the gateway', async (t) => {
  const line = await startCommandLine(t);
  const cases: (readonly [readonly string[], string, string])[] = [];
  for (const words of LABELS) {
    cases.push(
      [words, 'foo', '"foo" is not KEY=VALUE, such as region=us-east.'],
      [words, '=x', '"=x" is not KEY=VALUE, such as region=us-east.'],
      [words, '', '"" is not KEY=VALUE, such as region=us-east.'],
      [words, 'a b=c', `"a b" is no label's key (${RULE}), such as region=us-east.`],
      [words, 'a=b c', `"b c" is no label's value (${RULE}), such as region=us-east.`],
      [words, 'a=b=c', `"b=c" is no label's value (${RULE}), such as region=us-east.`],
    );
  }
  cases.push(
    [COMPONENT, 'region=us-east,', '"" is not KEY=VALUE, such as region=us-east.'],
    [COMPONENT, 'region=us-east,region=us-west', '"region" has two values: say one.'],
    [[...TOKEN, 'region=us-east', '--label'], 'region=us-west', '"region" has two values: say one.'],
    [ANNOTATION, 'foo', '"foo" is not KEY=VALUE, such as owner=web-team.'],
    [ANNOTATION, 'a b=c', `"a b" is no annotation's key (${RULE}), such as owner=web-team.`],
    [SETTING, '', '"" is not KEY=VALUE, such as replicas=2.'],
    [['component', 'disable', 'podinfo', '--cluster'], ' ,', 'It names nothing.'],
  );
  for (const [words, value, says] of cases) {
    const slip = await line.run([...words, value]);
    assert.deepEqual([slip.code, slip.stdout], [2, ''], `${words.join(' ')} '${value}': ${slip.stderr}`);
    const [first, ...rest] = slip.stderr.trimEnd().split('\n');
    const option = words.at(-1);
    assert.match(
      first ?? '',
      new RegExp(`^error: option '${option} <[a-z=]+>' argument '${value}' is invalid\\. `),
    );
    assert.ok(first?.endsWith(says), slip.stderr);
    assert.match(rest.join('\n'), /^\nUsage: .*\n.*--help' says what it takes\.$/);
  }
  assert.deepEqual(
    line.gateway.log.filter(({ operation }) => operation !== undefined),
    [],
  );
});

const RULE = 'at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends';

it('labels are judged as the gateway judges them', async (t) => {
  const { document } = await readChecked();
  const { schemas } = (document as Contract).components;
  assert.equal(LABEL_KEY.source, new RegExp(schemas.LabelKey.pattern).source);
  assert.equal(LABEL_VALUE.source, new RegExp(schemas.LabelValue.pattern).source);

  const line = await startCommandLine(t);
  const described = '--cluster-name n --cluster-dns n.example.com --environment dev'.split(' ');
  const odd = ['--label', 'example.com/team_a=', '--label', '0=A.b_c-1'];
  const made = await line.run(['cluster', 'create', 'n', ...described, ...odd]);
  assert.equal(made.code, 0, made.stderr);
  for (const label of ['example.com/team_a=', '0=A.b_c-1']) {
    assert.equal((await line.run(['cluster', 'list', '--label', label, '-o', 'name'])).stdout, 'cluster/n\n');
  }
});

interface Contract {
  readonly components: {
    readonly schemas: Readonly<Record<'LabelKey' | 'LabelValue', { readonly pattern: string }>>;
  };
}
