import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileSchemas } from '../../../src/core/fleet/schemas.ts';
import { DOCUMENT } from './document.ts';

const SCHEMAS = compileSchemas(DOCUMENT);

const isValid = (schema: string, value: unknown): boolean => SCHEMAS.check(schema, value).length === 0;

const long = (length: number): string => 'a'.repeat(length);
const CONTROLS = [
  'a\nb',
  'a\r',
  '\u0000',
  'a\tb',
  '\u001b[31m',
  '\u007f',
  'a\u0085b',
  'a\u2028b',
  'a\u2029b',
];
const HALF_PAIRS = ['\ud800', 'a\udfffb'];

// Schema → values that it takes, values that it refuses.
const VALUES: Readonly<Record<string, readonly [good: readonly unknown[], bad: readonly unknown[]]>> = {
  Id: [
    ['a', '0', 'cert-manager', 'a--b', long(63)],
    ['', '-a', 'a-', 'A', 'a_b', 'a.b', 'a/b', '../a', 'é', 'a\n', ' a', '__proto__', long(64), 7, null],
  ],
  Text: [
    ['x', 'Ünï cödé 集群', 'a "quoted" {text}', '👩‍🚀', long(253)],
    ['', long(254), ...CONTROLS, ...HALF_PAIRS, 7, null],
  ],
  ClusterDns: [
    ['localhost', 'a.b', 'us-east-prod-01.k8s.example.com', 'xn--bcher-kva.example', `${long(63)}.example`],
    [
      '',
      'A.example',
      'a.example.',
      '.a',
      'a..b',
      '-a.example',
      'a-.example',
      '*.example',
      'a_b.example',
      'a.example\n',
      'bücher.example',
      `${long(64)}.example`,
      `${`${long(49)}.`.repeat(5)}abcd`,
      null,
    ],
  ],
  Environment: [
    ['dev', 'qa', 'uat', 'prod'],
    ['', 'PROD', 'production', 'test', null],
  ],
  NodeCount: [
    [0, 1, 100_000],
    [-1, 1.5, 100_001, '3', null],
  ],
  ComponentPath: [
    ['cert-manager', './apps/podinfo', 'a/b c/d', 'a..b/..c/c..', '...', 'a//b', long(1024)],
    ['', '/etc', '..', '../a', 'a/..', 'a/../b', 'a\\..\\b', long(1025), ...CONTROLS, ...HALF_PAIRS, null],
  ],
  ComponentVersion: [
    ['1.18.2', 'v1', '2026-08', '1.x', '>=1.0.0 <2.0.0'],
    ['', '/1', '..', '1/../2', '1\\2', long(129), 'v1\n', null],
  ],
  OciUrl: [
    [
      'oci://ghcr.io/stefanprodan/charts',
      'https://charts.jetstack.io',
      'oci://registry.example.com:5000/a/b@sha256:0123',
      'oci://10.0.0.1:5000/x',
      'https://[2001:db8::1]:8443/charts/',
      'oci://localhost:5000',
    ],
    [
      '',
      'http://charts.example.com',
      'file:///etc/passwd',
      'OCI://ghcr.io/a',
      'oci://',
      'oci:///a',
      'ghcr.io/a',
      'oci://user:secret@ghcr.io/a',
      'oci://ghcr.io/a b',
      'oci://ghcr.io/a\n',
      'oci://ghcr.io/"a"',
      'oci://ghcr.io/{{a}}',
      'https://a.example/?x',
      'https://a.example/#x',
      ` oci://ghcr.io/a`,
      `oci://ghcr.io/${long(2048)}`,
      null,
    ],
  ],
  OciTag: [
    ['latest', 'v1.18.2', '1.0.0-rc.1+build.5', '_x', long(128)],
    ['', '.a', '-a', '+a', 'a b', 'a:b', 'a@sha256', '>=1.0', '1.x || 2.x', 'a\n', long(129), null],
  ],
  Role: [
    ['view', 'cluster-admin', 'system:node-proxier', 'my role', '...'],
    ['', '.', '..', 'a/b', 'a%2fb', ...CONTROLS, long(254), null],
  ],
  Subject: [
    [
      { kind: 'User', name: 'alex@example.com' },
      { kind: 'Group', name: 'https://issuer.example/#admins', apiGroup: 'rbac.authorization.k8s.io' },
      { kind: 'ServiceAccount', name: 'flux', namespace: 'flux-system', apiGroup: '' },
      { kind: 'User', name: 'alex', namespace: null, apiGroup: null },
    ],
    [
      { kind: 'Robot', name: 'a' },
      { kind: 'user', name: 'a' },
      { kind: 'User' },
      { name: 'a' },
      { kind: 'User', name: '' },
      { kind: 'User', name: 'a\nb' },
      { kind: 'ServiceAccount', name: 'a', namespace: 'B' },
      { kind: 'User', name: 'a', apiGroup: 'RBAC' },
      { kind: 'User', name: 'a', extra: 1 },
      'alex',
    ],
  ],
  ComponentAssignment: [
    [
      { id: 'a', enabled: true },
      { id: 'a', enabled: false, oci_tag: 'v1', component_path: 'x/y' },
      { id: 'a', enabled: true, oci_tag: null, component_path: null },
    ],
    [
      { id: 'a' },
      { enabled: true },
      { id: 'a', enabled: 'true' },
      { id: 'a', enabled: null },
      { id: 'a', enabled: true, component_version: '1' },
      { id: 'a', enabled: true, oci_tag: '' },
    ],
  ],
};

for (const [schema, [good, bad]] of Object.entries(VALUES)) {
  test(`${schema}: takes what it should and refuses what it should`, () => {
    for (const value of good) assert.deepEqual(SCHEMAS.check(schema, value), [], JSON.stringify(value));
    for (const value of bad) assert.ok(!isValid(schema, value), `${JSON.stringify(value)} should be refused`);
  });
}

/** As they come from JSON.parse, where `__proto__` is a key like any other. */
const map = (key: string, value: unknown): unknown =>
  JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(value)}}`);

const KEYS: Readonly<
  Record<
    string,
    readonly [
      wrap: (map: unknown) => [schema: string, value: unknown],
      good: readonly string[],
      bad: readonly string[],
    ]
  >
> = {
  'a label': [
    (labels) => ['Namespace', { id: 'a', labels }],
    [
      'team',
      'app.kubernetes.io/name',
      'A',
      'a_b.c-d',
      'constructor',
      `${long(63)}`,
      `example.com/${long(63)}`,
    ],
    [
      '',
      '-a',
      'a-',
      'a/b/c',
      '/a',
      'a/',
      'Example.com/a',
      'a b',
      '__proto__',
      long(64),
      `${long(254)}/a`,
      'a\n',
    ],
  ],
  'an annotation': [
    (annotations) => ['Namespace', { id: 'a', annotations }],
    ['note', 'example.com/owner'],
    ['', 'a b', '__proto__', '_a', 'a/b/c'],
  ],
  'a patch': [
    (patches) => ['ClusterPut', { patches: { 'cert-manager': patches } }],
    ['replicaCount', 'a.b-c_d', '_', '-', '.', '__proto', 'constructor', long(253)],
    ['', 'a b', 'a/b', 'a:b', 'é', '__proto__', 'a\n', '{{a}}', long(254)],
  ],
  'a patched component': [
    (patches) => ['ClusterPut', { patches: replaceValues(patches, {}) }],
    ['cert-manager', 'constructor'],
    ['', 'A', 'a_b', '__proto__'],
  ],
};

function replaceValues(record: unknown, value: unknown): unknown {
  return map(Object.keys(record as object)[0] ?? '', value);
}

for (const [what, [wrap, good, bad]] of Object.entries(KEYS)) {
  test(`keys of ${what}: takes what it should and refuses what it should`, () => {
    for (const key of good) assert.deepEqual(SCHEMAS.check(...wrap(map(key, 'x'))), [], key);
    for (const key of bad)
      assert.ok(!isValid(...wrap(map(key, 'x'))), `${JSON.stringify(key)} should be refused`);
  });
}

test('values of maps are one line of text, and labels have values as in Kubernetes', () => {
  const patched = (value: unknown): unknown => ({ patches: { a: { k: value } } });
  for (const value of ['', '2', 'a: "b"', long(65_536)]) assert.ok(isValid('ClusterPut', patched(value)));
  for (const value of [...CONTROLS, ...HALF_PAIRS, 2, true, null, {}, long(65_537)]) {
    assert.ok(!isValid('ClusterPut', patched(value)), JSON.stringify(value));
  }
  for (const value of ['', 'a', 'v1.2_3', long(63)])
    assert.ok(isValid('Namespace', { id: 'a', labels: { a: value } }));
  for (const value of ['-a', 'a b', 'é', long(64), null, 1]) {
    assert.ok(!isValid('Namespace', { id: 'a', labels: { a: value } }), JSON.stringify(value));
  }
  assert.ok(isValid('Namespace', { id: 'a', annotations: { a: long(262_144) } }));
  for (const value of [...CONTROLS, ...HALF_PAIRS, long(262_145), 1]) {
    assert.ok(!isValid('Namespace', { id: 'a', annotations: { a: value } }), JSON.stringify(value));
  }
});

test('no pattern takes long to refuse a long text (ReDoS)', () => {
  const started = performance.now();
  const hostile = [
    'a'.repeat(262_144),
    'a.'.repeat(131_072),
    '../'.repeat(80_000),
    'a-'.repeat(131_072),
    '/'.repeat(262_144),
  ];
  for (const schema of Object.keys(VALUES)) {
    for (const text of hostile) isValid(schema, `${text}\n`);
  }
  for (const text of hostile) {
    isValid('Namespace', { id: 'a', labels: { [text]: text }, annotations: { [text]: text } });
    isValid('ClusterPut', { patches: { [text]: { [text]: `${text}\n` } } });
  }
  assert.ok(performance.now() - started < 10_000, `${performance.now() - started} ms`);
});
