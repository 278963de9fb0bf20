import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FluxgateError } from '../../../src/core/errors.ts';
import { checkObject } from '../../../src/core/fleet/check-object.ts';
import {
  besideInputs,
  certificateText,
  renderClusterList,
  renderInputs,
  serialiseInputs,
} from '../../../src/core/fleet/render.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import {
  fleetSchemas,
  sampleCluster,
  sampleComponent,
  sampleNamespace,
  sampleRolebinding,
} from '../../support/fleet.ts';

const cluster = sampleCluster('east', {
  cluster_name: 'East',
  environment: 'prod',
  platform_components: [
    { id: 'b', enabled: false, oci_tag: 'v9', component_path: 'own/b' },
    { id: 'a', enabled: true },
  ],
  namespaces: [{ id: 'web' }],
  rolebindings: [{ id: 'admins' }],
  patches: { b: { k: 'v' } },
});
const a = sampleComponent('a', { cluster_env_enabled: true });
const b = sampleComponent('b', { depends_on: ['a'] });

function isUnavailable(error: unknown): boolean {
  return error instanceof FluxgateError && error.code === 'unavailable';
}

test('platform components: the contract to the byte, in the order of the cluster', () => {
  const rendered = renderInputs('platform_component', { cluster, entries: [b, a] });
  const expected =
    '{"inputs":[' +
    '{"id":"b","component_path":"own/b","component_version":"1.0.0","cluster_env_enabled":false,"depends_on":["a"],' +
    '"enabled":false,"patches":{"k":"v"},"cluster":{"name":"East","dns":"east.k8s.example.com","environment":"prod"},' +
    '"source":{"oci_url":"oci://registry.example.com/components/b","oci_tag":"v9"}},' +
    '{"id":"a","component_path":"components/a","component_version":"1.0.0","cluster_env_enabled":true,"depends_on":[],' +
    '"enabled":true,"patches":{},"cluster":{"name":"East","dns":"east.k8s.example.com","environment":"prod"},' +
    '"source":{"oci_url":"oci://registry.example.com/components/a","oci_tag":"v1.0.0"}}]}';
  assert.equal(serialiseInputs(rendered), expected);
});

test('namespaces: the contract to the byte', () => {
  const web = sampleNamespace('web', { labels: { team: 'web' } });
  assert.equal(
    serialiseInputs(renderInputs('namespace', { cluster, entries: [web] })),
    '{"inputs":[{"id":"web","labels":{"team":"web"},"annotations":{},' +
      '"cluster":{"name":"East","dns":"east.k8s.example.com","environment":"prod"}}]}',
  );
});

test('rolebindings: the contract to the byte', () => {
  assert.equal(
    serialiseInputs(renderInputs('rolebinding', { cluster, entries: [sampleRolebinding('admins')] })),
    '{"inputs":[{"id":"admins","role":"view","subjects":[{"kind":"Group","name":"oidc:admins",' +
      '"apiGroup":"rbac.authorization.k8s.io"}],"cluster":{"name":"East","dns":"east.k8s.example.com","environment":"prod"}}]}',
  );
});

test('the list of clusters: the contract to the byte', () => {
  assert.equal(
    serialiseInputs(renderClusterList([cluster])),
    '{"inputs":[{"id":"east","cluster_name":"East","cluster_dns":"east.k8s.example.com","environment":"prod"}]}',
  );
});

test('what is said of the certificate is JSON beside the inputs', () => {
  const certificate = { not_after: new Date(1_795_276_163_005).toISOString(), sha256: 'ab'.repeat(32) };
  const body = besideInputs('{"inputs":[]}', certificateText(certificate));
  assert.equal(body, JSON.stringify({ inputs: [], certificate }));
});

test('what is said of the certificate goes first where there is no room for both: octets count, not characters', () => {
  const last = certificateText({ not_after: '', sha256: '' });
  const inputs = (octets: number): string => {
    const frame = '{"inputs":["é"]}';
    return frame.replace('é', `é${'x'.repeat(octets - Buffer.byteLength(frame))}`);
  };
  const room = LIMITS.fluxBodyBytesMax - last.length + 1;
  assert.equal(Buffer.byteLength(besideInputs(inputs(room), last)), LIMITS.fluxBodyBytesMax);
  assert.equal(besideInputs(inputs(room + 1), last), inputs(room + 1));
});

test('a cluster without assignments gets an empty list, which is the truth', () => {
  const empty = sampleCluster('west');
  assert.equal(serialiseInputs(renderInputs('namespace', { cluster: empty, entries: [] })), '{"inputs":[]}');
});

test('a component called like an inherited key has no patches unless it has its own', () => {
  const own = sampleCluster('x', { platform_components: [{ id: 'constructor', enabled: true }] });
  const { inputs } = renderInputs('platform_component', {
    cluster: own,
    entries: [sampleComponent('constructor')],
  });
  assert.deepEqual(inputs[0]?.['patches'], {});
});

test('an entry that is missing, too many, exchanged or repeated is never rendered', () => {
  for (const entries of [[b], [b, a, a], [a, b], []]) {
    assert.throws(() => renderInputs('platform_component', { cluster, entries }), isUnavailable);
  }
  const twice = sampleCluster('x', { namespaces: [{ id: 'n' }, { id: 'n' }] });
  const n = sampleNamespace('n');
  assert.throws(() => renderInputs('namespace', { cluster: twice, entries: [n, n] }), isUnavailable);
});

test('an answer above the bound of Flux Operator is refused, not shortened; one at the bound is given', () => {
  const text = (octets: number): { inputs: { id: string }[] } => ({
    inputs: [{ id: 'x'.repeat(octets - '{"inputs":[{"id":""}]}'.length) }],
  });
  assert.equal(Buffer.byteLength(serialiseInputs(text(LIMITS.fluxBodyBytesMax))), LIMITS.fluxBodyBytesMax);
  assert.throws(() => serialiseInputs(text(LIMITS.fluxBodyBytesMax + 1)), isUnavailable);
  // Octets count, not characters.
  assert.throws(
    () => serialiseInputs({ inputs: [{ id: 'é'.repeat(LIMITS.fluxBodyBytesMax / 2) }] }),
    isUnavailable,
  );
});

/** The same object with its keys put in by another order. */
function shuffled<T>(value: T, random: () => number): T {
  if (Array.isArray(value)) return value.map((entry: unknown) => shuffled(entry, random)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    ([key, part]) => [random(), key, shuffled(part as unknown, random)] as const,
  );
  return Object.fromEntries(entries.sort(([x], [y]) => x - y).map(([, key, part]) => [key, part])) as T;
}

test('the same data gives the same bytes, in whatever order its keys came', () => {
  const id = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
  const map = fc.dictionary(
    fc.stringMatching(/^[a-zA-Z0-9._-]{1,8}$/).filter((key) => key !== '__proto__'),
    fc.stringMatching(/^[ -~]{0,9}$/),
  );
  const fleet = fc.uniqueArray(id, { maxLength: 6 }).chain((ids) =>
    fc.record({
      ids: fc.constant(ids),
      assignments: fc.tuple(
        ...ids.map((name) => fc.record({ id: fc.constant(name), enabled: fc.boolean() })),
      ),
      patches: fc.tuple(...ids.map(() => map)),
      seed: fc.integer({ min: 1, max: 2 ** 30 }),
    }),
  );
  const schemas = fleetSchemas();
  const property = fc.property(fleet, ({ ids, assignments, patches, seed }) => {
    const raw = sampleCluster('east', {
      platform_components: assignments,
      patches: Object.fromEntries(ids.map((name, i) => [name, patches[i] ?? {}])),
    });
    const entries = ids.map((name) => sampleComponent(name));
    let state = seed;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const bytes = (given: unknown): string =>
      serialiseInputs(
        renderInputs('platform_component', { cluster: checkObject('cluster', schemas, given), entries }),
      ).toString();
    const first = bytes(raw);
    assert.equal(bytes(shuffled(raw, random)), first);
    const parsed = JSON.parse(first) as { inputs: { id: string; patches: unknown }[] };
    assert.deepEqual(
      parsed.inputs.map((input) => input.id),
      ids,
    );
    assert.deepEqual(
      parsed.inputs.map((input) => input.patches),
      ids.map((_, i) => ({ ...patches[i] })),
    );
  });
  fc.assert(property, { seed: 20_261_121, numRuns: 200 });
});
