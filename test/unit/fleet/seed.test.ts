import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { StartupError } from '../../../src/core/errors.ts';
import { DEMO_SEED } from '../../../src/core/fleet/demo-fleet.ts';
import { parseSeed, unmetDependencies } from '../../../src/core/fleet/seed.ts';
import { fleetSchemas, sampleCluster, sampleComponent } from '../../support/fleet.ts';

const schemas = fleetSchemas();

/** The older service's shape: `_id`, `null` for absent, no optional lists. */
const OLDER_SHAPE = `{
  "clusters": [
    {
      "_id": "lab-1", "cluster_name": "lab-1", "cluster_dns": "lab-1.k8s.example.org", "environment": "qa",
      "node_count": null, "vm_image": null,
      "platform_components": [{ "_id": "dns", "enabled": true, "oci_tag": null, "component_path": null }],
      "namespaces": [{ "id": "lab" }], "rolebindings": null, "patches": { "dns": { "zone": "example.org" } }
    }
  ],
  "platform_components": [
    { "_id": "dns", "component_path": "dns", "component_version": "latest", "cluster_env_enabled": null,
      "oci_url": "https://charts.example.org", "oci_tag": "latest", "depends_on": null }
  ],
  "namespaces": [{ "_id": "lab", "id": "lab", "labels": null }]
}`;

function refusal(text: string, name = 'fleet.json'): string {
  try {
    parseSeed(text, name, schemas);
  } catch (error) {
    assert.ok(error instanceof StartupError, String(error));
    return error.message;
  }
  return assert.fail('the seed was taken');
}

test('the demo fleet is a valid seed, as JSON and as YAML, to the same fleet', () => {
  const fleet = parseSeed(JSON.stringify(DEMO_SEED), 'the demo fleet', schemas);
  assert.deepEqual(
    fleet.clusters.map(({ cluster_dns }) => cluster_dns),
    ['demo-cluster-01.k8s.example.com', 'demo-cluster-02.k8s.example.com', 'demo-cluster-03.k8s.example.com'],
  );
  assert.deepEqual(parseSeed(stringify(DEMO_SEED), 'fleet.yaml', schemas), fleet);
});

test('a seed of the older service is taken: _id, null for absent, lists that are not there', () => {
  const fleet = parseSeed(OLDER_SHAPE, 'fleet.json', schemas);
  assert.deepEqual(fleet, {
    clusters: [
      {
        id: 'lab-1',
        cluster_name: 'lab-1',
        cluster_dns: 'lab-1.k8s.example.org',
        environment: 'qa',
        platform_components: [{ id: 'dns', enabled: true }],
        namespaces: [{ id: 'lab' }],
        rolebindings: [],
        patches: { dns: { zone: 'example.org' } },
      },
    ],
    platform_components: [
      {
        id: 'dns',
        component_path: 'dns',
        component_version: 'latest',
        cluster_env_enabled: false,
        oci_url: 'https://charts.example.org',
        oci_tag: 'latest',
        depends_on: [],
      },
    ],
    namespaces: [{ id: 'lab', labels: {}, annotations: {} }],
    rolebindings: [],
  });
});

/** What is wrong, the seed, and the one line of the refusal. */
const REFUSED: readonly (readonly [string, object, RegExp])[] = [
  [
    'a dangling reference',
    { clusters: [sampleCluster('us-east-1', { platform_components: [{ id: 'traefk', enabled: true }] })] },
    /^seed fleet\.json: clusters\[0\] "us-east-1": platform_components\/0 refers to platform component "traefk", which the seed does not define \(line 1\)$/,
  ],
  [
    'a dependency on an unknown component',
    { platform_components: [sampleComponent('a', { depends_on: ['b'] })] },
    /platform_components\[0\] "a": depends_on\/0 refers to platform component "b", which the seed does not define/,
  ],
  [
    'a dependency cycle',
    {
      platform_components: [
        sampleComponent('a', { depends_on: ['b'] }),
        sampleComponent('b', { depends_on: ['a'] }),
      ],
    },
    /platform_components\[0\] "a": has a dependency cycle a → b → a/,
  ],
  [
    'an id twice',
    { namespaces: [{ id: 'n' }, { _id: 'n' }] },
    /namespaces\[1\] "n": id is taken by namespaces\[0\] "n"/,
  ],
  [
    'a cluster_dns twice',
    { clusters: [sampleCluster('x'), sampleCluster('y', { cluster_dns: 'x.k8s.example.com' })] },
    /clusters\[1\] "y": cluster_dns is taken by clusters\[0\] "x"/,
  ],
  [
    'an unknown list',
    { clustres: [], namespaces: [{ id: 'n' }] },
    /has the key "clustres", which is none of clusters, /,
  ],
  ['a list that is none', { namespaces: { id: 'n' }, rolebindings: [] }, /namespaces: must be a list/],
  [
    'an unknown field',
    { namespaces: [{ id: 'n', colour: 'red' }] },
    /namespaces\[0\] "n": colour is not a known field/,
  ],
  [
    'a wrong type',
    { namespaces: [{ id: 'n', labels: { a: 1 } }] },
    /namespaces\[0\] "n": labels\/a must be a string/,
  ],
  [
    'a wrong type under a name with a slash',
    { namespaces: [{ id: 'n', labels: { 'example.com/team': 1 } }] },
    /namespaces\[0\] "n": labels\/"example\.com\/team" must be a string \(line 1\)/,
  ],
  ['an object that is none', { namespaces: ['n'] }, /namespaces\[0\]: must be an object/],
  ['no id', { namespaces: [{ labels: {} }] }, /namespaces\[0\]: id is required/],
  [
    'id and _id that differ',
    { namespaces: [{ id: 'n', _id: 'm' }] },
    /namespaces\[0\] "n": id and _id differ: keep one/,
  ],
  [
    'an entry whose id and _id differ',
    {
      clusters: [sampleCluster('x', { namespaces: [{ id: 'n', _id: 'm' } as never] })],
      namespaces: [{ id: 'n' }],
    },
    /clusters\[0\] "x": namespaces\/0\/id and _id differ: keep one/,
  ],
  [
    'namespace labels inside a cluster',
    {
      clusters: [sampleCluster('x', { namespaces: [{ id: 'n', labels: {} } as never] })],
      namespaces: [{ id: 'n' }],
    },
    /clusters\[0\] "x": namespaces\/0\/labels is not a known field: .*move it to the seed's top-level "namespaces"/,
  ],
  [
    'a role inside a cluster',
    { clusters: [sampleCluster('x', { rolebindings: [{ id: 'r', role: 'view' } as never] })] },
    /rolebindings\/0\/role is not a known field: .*top-level "rolebindings"/,
  ],
  ['nothing', {}, /^seed fleet\.json: defines no object/],
  ['no lists', [], /must be an object of clusters, platform_components, namespaces, rolebindings/],
  [
    'a key __proto__',
    JSON.parse('{"namespaces":[{"id":"n","__proto__":{"labels":{}}}]}') as object,
    /"n": __proto__ is not a known field/,
  ],
];

describe('a seed that is not right is not loaded, and the refusal names the object', () => {
  for (const [what, seed, line] of REFUSED) {
    test(what, () => {
      assert.match(refusal(JSON.stringify(seed)), line);
      assert.match(
        refusal(stringify(seed), 'fleet.yaml')
          .replaceAll('fleet.yaml', 'fleet.json')
          .replace(/line \d+/, 'line 1'),
        line,
      );
    });
  }
});

test('all problems are listed, up to a bound, each with its line', () => {
  const text = 'namespaces:\n  - id: N\n  - id: ok\n  - id: ok\n  - id: x\n    labels:\n      a: 1\n';
  assert.deepEqual(
    refusal(text, 'fleet.yaml')
      .split('\n')
      .map((line) => line.replace(/must match.*\(/, 'must match (')),
    [
      'seed fleet.yaml: namespaces[0] "N": id must match (line 2)',
      'seed fleet.yaml: namespaces[3] "x": labels/a must be a string (line 7)',
      'seed fleet.yaml: namespaces[2] "ok": id is taken by namespaces[1] "ok" (line 4)',
    ],
  );
  const many = refusal(JSON.stringify({ namespaces: Array.from({ length: 90 }, () => ({})) }, null, 1)).split(
    '\n',
  );
  assert.equal(many.length, 51);
  assert.match(many[9] ?? '', /namespaces\[9\]: id is required \(line 12\)/);
  assert.equal(many[50], 'seed fleet.json: and 40 more problems');
});

describe('text that two parsers could read differently is refused', () => {
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    [
      'JSON, repeated key',
      'f.json',
      '{"namespaces":[{"id":"a",\n"id":"b"}]}',
      /key "id" is there twice \(line 2\)/,
    ],
    ['JSON, comment', 'f.json', '{"namespaces":[] /* */}', /is not JSON: InvalidCommentToken \(line 1\)/],
    ['JSON, trailing comma', 'f.json', '{"namespaces":[],}', /is not JSON/],
    ['JSON, text after the end', 'f.json', '{"namespaces":[{"id":"a"}]} x', /is not JSON/],
    ['JSON, YAML in a .json', 'f.json', 'namespaces: []', /is not JSON/],
    ['JSON, nested by the thousand', 'f.json', '['.repeat(200_000), /nested too deeply|is not JSON/],
    [
      'YAML, repeated key',
      'f.yaml',
      'namespaces: []\nnamespaces: []',
      /key "namespaces" is there twice \(line 2\)/,
    ],
    [
      'YAML, alias',
      'f.yaml',
      'namespaces: &n [{id: a}]\nrolebindings: *n',
      /has the alias \*n: write it out \(line 2\)/,
    ],
    ['YAML, merge key', 'f.yaml', 'namespaces:\n- id: a\n  <<: {labels: {}}', /<< is not a known field/],
    ['YAML, tag', 'f.yaml', 'namespaces: !!set {a}', /is not YAML: Unresolved tag/],
    ['YAML, second document', 'f.yaml', 'namespaces: []\n---\nnamespaces: []', /is not YAML/],
    [
      'YAML, a number for a version',
      'f.yaml',
      'namespaces: [{id: a, labels: {v: 1.10}}]',
      /labels\/v must be a string/,
    ],
    ['YAML, nested by the thousand', 'f.yaml', `a: ${'['.repeat(200_000)}`, /nested too deeply|is not YAML/],
    ['empty', 'f.yaml', ' \n', /is empty/],
    ['only a comment', 'f.yaml', '# nothing\n', /must be an object of/],
  ];
  for (const [what, name, text, line] of cases) test(what, () => assert.match(refusal(text, name), line));
});

test('YAML reads like JSON: no yes and no, no octal, no dates', () => {
  const fleet = parseSeed(
    'namespaces: [{id: "n", labels: {a: yes, b: 0o7x, c: 2026-01-01}}]',
    'f.yaml',
    schemas,
  );
  assert.deepEqual(fleet.namespaces[0]?.labels, { a: 'yes', b: '0o7x', c: '2026-01-01' });
});

test('a byte order mark, and a name without an ending, do no harm', () => {
  assert.equal(parseSeed('\ufeff{"namespaces":[{"id":"n"}]}', 'seed', schemas).namespaces.length, 1);
  assert.equal(parseSeed('namespaces: [{id: n}]', 'seed', schemas).namespaces.length, 1);
});

test('the order of objects in a seed does not matter', () => {
  const components = [sampleComponent('a', { depends_on: ['b'] }), sampleComponent('b')];
  const text = JSON.stringify({
    clusters: [
      sampleCluster('x', {
        platform_components: [
          { id: 'a', enabled: true },
          { id: 'b', enabled: true },
        ],
      }),
    ],
    platform_components: components,
  });
  assert.equal(parseSeed(text, 'f.json', schemas).platform_components.length, 2);
});

test('a seed whose cluster enables a component without its dependency loads, as Flux ran it before, and is warned of', () => {
  const components = [sampleComponent('a', { depends_on: ['b'] }), sampleComponent('b')];
  for (const [assigned, what] of [
    [[{ id: 'a', enabled: true }], 'is not assigned'],
    [
      [
        { id: 'a', enabled: true },
        { id: 'b', enabled: false },
      ],
      'is disabled',
    ],
  ] as const) {
    const seed = {
      clusters: [sampleCluster('x', { platform_components: assigned })],
      platform_components: components,
    };
    const [warning = '', ...others] = unmetDependencies(parseSeed(JSON.stringify(seed), 'f.json', schemas));
    const expected = `/clusters/x/platform_components/0: "a" is enabled and depends on "b", which ${what}`;
    assert.equal(warning.slice(0, expected.length), expected);
    assert.deepEqual(others, []);
  }
});
