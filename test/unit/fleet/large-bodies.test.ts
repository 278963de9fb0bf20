import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, test } from 'node:test';
import { parse } from 'yaml';
import { FluxgateError } from '../../../src/core/errors.ts';
import { hasMoreValues } from '../../../src/core/fleet/body-size.ts';
import { isRecord } from '../../../src/core/fleet/canonical.ts';
import { fileOf, readDirectory } from '../../../src/core/fleet/directory.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { fleetSchemas, sampleCluster } from '../../support/fleet.ts';

type Schema = Readonly<Record<string, unknown>>;

const document = parse(readFileSync(new URL('../../../openapi.yaml', import.meta.url), 'utf8')) as Schema;

/** What is behind `#/a/b/c`. */
function pointedTo(reference: string): Schema {
  let found: unknown = document;
  for (const part of reference.split('/').slice(1)) found = (found as Schema)[part];
  return found as Schema;
}

const resolved = (schema: Schema): Schema =>
  typeof schema['$ref'] === 'string' ? resolved(pointedTo(schema['$ref'])) : schema;

/** The names of the schemas of all bodies that the gateway takes. */
function bodySchemas(): string[] {
  const found = new Set<string>();
  for (const item of Object.values(document['paths'] as Record<string, Record<string, Schema>>)) {
    for (const { requestBody } of Object.values(item)) {
      const content = (requestBody as { content?: Record<string, { schema: Schema }> } | undefined)?.content;
      for (const { schema } of Object.values(content ?? {}))
        found.add(String(schema['$ref']).split('/').at(-1) ?? '');
    }
  }
  return [...found];
}

/** A list or a map somewhere in a body, and the body with `value` in its place. */
interface Place {
  readonly name: string;
  readonly isList: boolean;
  readonly body: (value: unknown) => unknown;
}

function placesIn(schema: Schema, name = '', body: Place['body'] = (value) => value): Place[] {
  const { properties, items, additionalProperties, oneOf } = resolved(schema) as Record<string, Schema>;
  const inside = (part: Schema, key: string, put: (value: unknown) => unknown): Place[] =>
    placesIn(part, `${name}/${key}`, (value) => body(put(value)));
  const places: Place[] = [];
  for (const [key, part] of Object.entries(properties ?? {}))
    places.push(...inside(part as Schema, key, (value) => ({ [key]: value })));
  if (items !== undefined)
    places.push({ name, isList: true, body }, ...inside(items, '0', (value) => [value]));
  if (isRecord(additionalProperties))
    places.push(
      { name, isList: false, body },
      ...inside(additionalProperties, 'a', (value) => ({ a: value })),
    );
  for (const each of Object.values(oneOf ?? {})) places.push(...placesIn(each as Schema, name, body));
  return places;
}

/** `value`, and how often one of its entries was looked at. */
function watched<T extends object>(value: T): { readonly value: T; readonly looks: () => number } {
  let looks = 0;
  const proxy = new Proxy(value, {
    get(target, key, receiver) {
      if (typeof key === 'string' && /^k?\d+$/.test(key)) looks++;
      return Reflect.get(target, key, receiver);
    },
  });
  return { value: proxy, looks: () => looks };
}

const MANY = 20_000;
const wrongList = (entries: number) => watched(Array.from({ length: entries }, () => ({})));
const wrongMap = (entries: number) =>
  watched(Object.fromEntries(Array.from({ length: entries }, (_, n) => [`k${n}`, 0])));

describe('a list or a map that is larger than it may be costs what its first entry costs', () => {
  const schemas = fleetSchemas();
  const bodies = bodySchemas();
  it('has all bodies of the document', () => {
    for (const name of [
      'ClusterMergePatch',
      'RolebindingPut',
      'Bulk',
      'FleetImport',
      'TrustPlanRequest',
      'FluxEvent',
    ])
      assert.ok(bodies.includes(name), bodies.join());
  });
  for (const name of bodies) {
    for (const place of placesIn({ $ref: `#/components/schemas/${name}` })) {
      it(`${name}${place.name}`, () => {
        const { value, looks } = place.isList ? wrongList(MANY) : wrongMap(MANY);
        const details = schemas.check(name, place.body(value));
        assert.ok(looks() <= 2, `${looks()} entries were looked at`);
        assert.ok(details.length > 0 && details.length <= 3, JSON.stringify(details));
        assert.match(details.at(-1)?.problem ?? '', /only the first problem is told/);
      });
    }
  }
});

test('a large list that is not too long is looked at up to its first problem', () => {
  const { value, looks } = wrongList(5_000);
  const details = fleetSchemas().check('ClusterMergePatch', { namespaces: value });
  assert.deepEqual(
    details.map(({ field, problem }) => `${field} ${problem}`),
    [
      '/namespaces/0/id is required',
      '/ has more than 2000 values, so only the first problem is told; there may be more',
    ],
  );
  assert.equal(looks(), 1);
});

test('a large document that is right is taken', () => {
  const namespaces = Array.from({ length: 5_000 }, (_, n) => ({ id: `n${n}` }));
  assert.deepEqual(fleetSchemas().check('ClusterMergePatch', { namespaces }), []);
});

test('of what people write every problem is told', () => {
  const platform_components = Array.from({ length: 100 }, (_, n) => ({
    id: `c${n}`,
    enabled: true,
    oci_tag: 'v1',
  }));
  const namespaces = Array.from({ length: 300 }, (_, n) => ({ id: `n${n}` }));
  const labels = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`l${n}`, 'x']));
  const body = { platform_components, namespaces, labels, node_cuont: 1, colour: 'red', filter_limit: 0 };
  Object.assign(namespaces[250] ?? {}, { id: 'N' });
  const fields = fleetSchemas()
    .check('ClusterMergePatch', body)
    .map(({ field }) => field);
  assert.deepEqual(fields.sort(), ['/colour', '/filter_limit', '/namespaces/250/id', '/node_cuont']);
});

test('whether an entry is there twice is found without comparing each with each', () => {
  const anchors = Array.from({ length: 1_900 }, (_, n) => String(n).padStart(64, '0'));
  const { value, looks } = watched(anchors);
  assert.deepEqual(fleetSchemas().check('TrustPlanRequest', { remove_anchors: value }), []);
  assert.ok(looks() <= 10 * anchors.length, `${looks()} looks at ${anchors.length} entries`);
  const twice = fleetSchemas().check('TrustPlanRequest', { remove_anchors: [...anchors, anchors[7]] });
  assert.deepEqual(twice, [{ field: '/remove_anchors', problem: 'must not repeat an entry' }]);
});

test('how many values there are is counted no further than asked for', () => {
  assert.equal(hasMoreValues('x', 1), false);
  assert.equal(hasMoreValues([1, { a: [2, 3] }, null], 7), false);
  assert.equal(hasMoreValues([1, { a: [2, 3] }, null], 6), true);
  const { value, looks } = wrongList(LIMITS.valuesToldWholeMax);
  assert.equal(hasMoreValues({ a: value }, LIMITS.valuesToldWholeMax), true);
  assert.equal(looks(), 0);
});

describe('a file of an import', () => {
  const read = (text: string) =>
    readDirectory(
      { 'clusters/a.yaml': text },
      fleetSchemas(),
      () => Promise.resolve(),
      () => Promise.resolve(false),
    );

  for (const [what, text] of [
    ['entries', `id: a\nnamespaces: [${'{},'.repeat(200_000)}]`],
    ['lines', `id: a\n${'\n'.repeat(1_000_000)}`],
    ['faults', `id: a\n${'%\n'.repeat(200_000)}`],
    ['signs', `a: [${':,'.repeat(100_000)}]`],
  ] as const) {
    it(`with ${what} without end is not parsed`, async () => {
      await assert.rejects(read(text), (error) => {
        assert.ok(error instanceof FluxgateError);
        const problem = 'has more than 150000 words and signs, which no object has';
        assert.deepEqual(error.details, [{ field: '/files/clusters~1a.yaml', problem }]);
        return true;
      });
    });
  }

  it('is taken with the largest cluster that there is use for', async () => {
    const many = Array.from({ length: 5_000 }, (_, n) => ({ id: `n${n}` }));
    const cluster = sampleCluster('a', {
      namespaces: many,
      rolebindings: many,
      platform_components: Array.from({ length: 100 }, (_, n) => ({
        id: `c${n}`,
        enabled: true,
        oci_tag: 'v1',
      })),
      patches: { c0: { values: 'x,'.repeat(30_000) }, c1: { values: '{}'.repeat(30_000) } },
    });
    const { objects } = await read(fileOf('cluster', cluster).text);
    assert.equal(objects.length, 1);
  });
});
