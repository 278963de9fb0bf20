import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Cluster, PlatformComponent } from '../../../src/core/fleet/objects.ts';
import { renderInputs } from '../../../src/core/fleet/render.ts';
import { refusals } from '../../support/crd-rules.ts';
import { sampleCluster, sampleComponent, sampleNamespace, sampleRolebinding } from '../../support/fleet.ts';
import {
  find,
  helmValue,
  type Manifest,
  manifestsOf,
  readManifests,
  reconcile,
} from '../../support/manifests.ts';

const SET = readManifests(manifestsOf());
const inputsOf = (inputs: unknown): readonly Record<string, unknown>[] =>
  (JSON.parse(JSON.stringify(inputs)) as { inputs: Record<string, unknown>[] }).inputs;

function components(
  entries: readonly PlatformComponent[],
  cluster: Partial<Cluster> = {},
): readonly Manifest[] {
  const whole = sampleCluster('east', {
    environment: 'prod',
    platform_components: entries.map(({ id }) => ({ id, enabled: true })),
    ...cluster,
  });
  const rendered = renderInputs('platform_component', { cluster: whole, entries });
  return reconcile(find(SET, 'ResourceSet', 'platform-components'), inputsOf(rendered));
}
const CHART = { oci_url: 'https://charts.example.com', oci_tag: '1.2.3+build' };

/** What breaks YAML, a template, a shell or Helm where it is not quoted. */
const HOSTILE = [
  ...[
    '"',
    "'",
    '`',
    '\\',
    '\\n',
    '\\"',
    '{a,b}',
    '{',
    '[x',
    'a,b',
    'a, b=c,d',
    '\\,',
    '#',
    ' # no',
    ': ',
    '- x',
    '? y',
    '!!int 1',
  ],
  ...[
    '&anchor x',
    '*alias',
    '<<',
    '<<: *x',
    '<< inputs.id >>',
    '<<- fail "x" >>',
    '>>',
    '{{ .Values }}',
    '$'.concat('{HOME}'),
    '$name',
    '%s %d %',
  ],
  ...[
    '---',
    '...',
    '| toJson',
    'yes',
    'null',
    '~',
    '',
    ' ',
    '0o17',
    '0x1f',
    '1:30',
    '1e3',
    '.inf',
    '2026-01-01',
    'true',
    '007',
  ],
  ...[
    '\u00a0',
    '\u202e',
    '\ufeff',
    '<script>&',
    'é\u{1f600}',
    '='.repeat(3000),
    `" >>\`<< "`,
    "'; drop",
    '__proto__',
  ],
];
const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.array(fc.constantFrom(...HOSTILE, 'a'), { maxLength: 5 }).map((parts) => parts.join('')),
  fc
    .string({ unit: 'grapheme', maxLength: 40 })
    .filter((text) => !/\p{Cc}|[\u2028\u2029\ufffe\uffff]/u.test(text) && text.isWellFormed()),
);

describe('a platform component', () => {
  it('of an oci:// source is a Kustomization of its path, at the cluster’s own tag, in its environment', () => {
    const entry = sampleComponent('app', { component_path: 'apps/app', cluster_env_enabled: true });
    const objects = components([entry], {
      platform_components: [{ id: 'app', enabled: true, oci_tag: 'v9', component_path: 'apps/next/' }],
    });
    assert.deepEqual(find(objects, 'OCIRepository', 'component-app').spec, {
      interval: '10m',
      url: 'oci://registry.example.com/components/app',
      ref: { tag: 'v9' },
    });
    assert.equal(find(objects, 'Kustomization', 'component-app').spec.path, './apps/next/prod');
    const [plain] = components([sampleComponent('app')]).filter(({ kind }) => kind === 'Kustomization');
    assert.equal(plain?.spec.path, './components/app');
  });

  it('of a chart repository is a HelmRelease, with the values of its environment', () => {
    const entry = sampleComponent('app', { ...CHART, component_path: 'core/app', cluster_env_enabled: true });
    const { spec } = find(components([entry]), 'HelmRelease', 'component-app');
    assert.deepEqual(
      [spec.chart.spec.chart, spec.chart.spec.version, spec.chart.spec.valuesFiles],
      ['app', '1.2.3+build', ['values.yaml', 'values-prod.yaml']],
    );
    const latest = components([sampleComponent('app', { ...CHART, oci_tag: 'latest' })]);
    assert.ok(!('version' in find(latest, 'HelmRelease', 'component-app').spec.chart.spec));
  });

  it('is verified as the catalogue says, and only where it says so', () => {
    const signer = { issuer: '^https://a\\.example\\.com$', subject: '^https://a\\.example\\.com/"b"/\'.*$' };
    const verify = { provider: 'cosign', match_oidc_identity: [signer] } as const;
    const objects = components([sampleComponent('a', { verify }), sampleComponent('b')]);
    assert.deepEqual(find(objects, 'OCIRepository', 'component-a').spec.verify, {
      provider: 'cosign',
      matchOIDCIdentity: [signer],
    });
    assert.ok(!('verify' in find(objects, 'OCIRepository', 'component-b').spec));
  });

  it('waits for what it depends on, whatever either is made of', () => {
    const long = `l${'o'.repeat(61)}g`;
    const objects = components([
      sampleComponent('chart', CHART),
      sampleComponent(long, CHART),
      sampleComponent('app', { depends_on: ['chart', long] }),
    ]);
    const waits = find(objects, 'ResourceSet', 'component-app').spec.dependsOn as {
      name: string;
      ready: boolean;
    }[];
    assert.equal(waits.length, 2);
    for (const { name, ready } of waits) {
      assert.equal(ready, true);
      assert.equal(find(objects, 'ResourceSet', name).spec.wait, true);
    }
  });

  it('that is disabled is not there, and its neighbours are', () => {
    const objects = components([sampleComponent('a'), sampleComponent('b')], {
      platform_components: [
        { id: 'a', enabled: false },
        { id: 'b', enabled: true },
      ],
    });
    assert.deepEqual([...new Set(objects.map(({ metadata }) => metadata.name))], ['component-b']);
  });

  it('gets its patches and the keys of its Secrets as Helm values, in a chart and in an artefact', () => {
    const cluster = {
      patches: { a: { 'ui.color': 'red' }, b: { replicas: '2' } },
      secret_refs: { b: { password: { name: 'b-admin', key: 'pass.word' } } },
    };
    const objects = components([sampleComponent('a'), sampleComponent('b', CHART)], cluster);
    const values = find(objects, 'HelmRelease', 'component-b').spec.valuesFrom;
    assert.deepEqual(values, [
      { kind: 'ConfigMap', name: 'component-b', valuesKey: 'replicas', targetPath: 'replicas' },
      { kind: 'Secret', name: 'b-admin', valuesKey: 'pass.word', targetPath: 'password' },
    ]);
    const [patch] = find(objects, 'Kustomization', 'component-a').spec.patches;
    assert.deepEqual(JSON.parse(patch.patch), [
      {
        op: 'add',
        path: '/spec/valuesFrom',
        value: [{ kind: 'ConfigMap', name: 'component-a', valuesKey: 'ui.color', targetPath: 'ui.color' }],
      },
    ]);
    assert.deepEqual(find(objects, 'ConfigMap', 'component-a')['data'], { 'ui.color': 'red' });
  });

  it('never takes another object’s name: not the sets’, not another component’s', () => {
    const long = (end: string): string => `${'a'.repeat(60)}${end}`;
    const ids = [
      'components',
      'namespaces',
      'platform-components',
      'flux-system',
      long('xy'),
      long('xz'),
      'a'.repeat(53),
    ];
    const objects = components(ids.map((id) => sampleComponent(id)));
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    assert.equal(new Set(names).size, names.length);
    const shipped = SET.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    assert.deepEqual(
      names.filter((name) => shipped.includes(name)),
      [],
    );
    assert.deepEqual(objects.flatMap(refusals), []);
  });

  it('carries every hostile value unchanged, and none becomes structure', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, fc.boolean(), (value, path, name, chart) => {
        // A path has no backslash, begins with no slash and is more than slashes: the schema sees to it.
        const own = `p${path.replaceAll(/[\\/]/g, '').slice(0, 1000)}`;
        const entry = sampleComponent('a', { component_path: own, ...(chart ? CHART : {}) });
        const subject = `^${value}$`;
        const signed = {
          ...entry,
          verify: { provider: 'cosign', match_oidc_identity: [{ issuer: subject, subject }] },
        } as const;
        const objects = components([chart ? entry : signed], {
          cluster_name: name === '' ? 'x' : name,
          patches: { a: { k: value, 'a.b': 'x' } },
        });
        const kinds = chart ? ['HelmRepository', 'HelmRelease'] : ['OCIRepository', 'Kustomization'];
        assert.deepEqual(
          objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
          ['ResourceSet', 'ConfigMap', ...kinds].map((kind) => `${kind} component-a`),
        );
        assert.deepEqual(objects.flatMap(refusals), []);
        const [set, config, source, what] = objects;
        const { data } = config as unknown as { data: Record<string, string> };
        assert.deepEqual(Object.keys(data), ['a.b', 'k']);
        assert.equal(helmValue(data['k'] ?? ''), value);
        assert.equal(set?.spec.inputs[0].cluster.name, name === '' ? 'x' : name);
        if (chart) assert.equal(what?.spec.chart.spec.chart, own);
        else {
          assert.equal(what?.spec.path, `./${own}`);
          assert.deepEqual(source?.spec.verify.matchOIDCIdentity, [{ issuer: subject, subject }]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a namespace', () => {
  const namespaces = (
    annotations: Record<string, string>,
    labels: Record<string, string> = {},
  ): readonly Manifest[] => {
    const cluster = sampleCluster('east', { namespaces: [{ id: 'web' }] });
    const rendered = renderInputs('namespace', {
      cluster,
      entries: [sampleNamespace('web', { annotations, labels })],
    });
    return reconcile(find(SET, 'ResourceSet', 'namespaces'), inputsOf(rendered));
  };

  it('is never pruned, nor left out, whatever its annotations say', () => {
    const [namespace] = namespaces({
      'fluxcd.controlplane.io/prune': 'enabled',
      'fluxcd.controlplane.io/reconcile': 'disabled',
    });
    assert.deepEqual(namespace?.metadata.annotations, {
      'fluxcd.controlplane.io/prune': 'disabled',
      'fluxcd.controlplane.io/reconcile': 'enabled',
    });
  });

  it('carries every hostile annotation and label unchanged', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const [namespace, ...more] = namespaces({ 'example.com/a': value }, { yes: 'no', '0': '1' });
        assert.equal(namespace?.metadata.annotations?.['example.com/a'], value);
        assert.deepEqual(namespace?.metadata.labels, { yes: 'no', '0': '1' });
        assert.deepEqual(more, []);
        assert.deepEqual(namespace === undefined ? ['none'] : refusals(namespace), []);
      }),
    );
  });
});

describe('a role binding', () => {
  const bindings = (id: string, role: string, name: string): readonly Manifest[] => {
    const cluster = sampleCluster('east', { rolebindings: [{ id }] });
    const subjects = [{ kind: 'Group', name, apiGroup: 'rbac.authorization.k8s.io' }] as const;
    const rendered = renderInputs('rolebinding', {
      cluster,
      entries: [sampleRolebinding(id, { role, subjects })],
    });
    return reconcile(find(SET, 'ResourceSet', 'rolebindings'), inputsOf(rendered));
  };

  it('never takes the name of one that Kubernetes brings', () => {
    assert.equal(bindings('cluster-admin', 'view', 'x')[0]?.metadata.name, 'fleet-cluster-admin');
  });

  it('carries every hostile role and subject unchanged', () => {
    fc.assert(
      fc.property(hostile, hostile, (role, name) => {
        const [binding, ...more] = bindings('a', role, name);
        assert.deepEqual(more, []);
        assert.deepEqual(binding?.['roleRef'], {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'ClusterRole',
          name: role,
        });
        assert.deepEqual(binding?.['subjects'], [
          { kind: 'Group', name, apiGroup: 'rbac.authorization.k8s.io' },
        ]);
      }),
    );
  });
});
