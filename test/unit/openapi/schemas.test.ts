import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastCheck from 'fast-check';
import { ENVIRONMENTS } from '../../../src/core/fleet/objects.ts';
import { compileSchemas } from '../../../src/core/fleet/schemas.ts';
import { isCanonicalDnsName } from '../../../src/core/identity/names.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { readOperations } from '../../../src/core/policy/operations.ts';
import { DOCUMENT, documentedOperation, type Media, resolve, type Schema } from './document.ts';

const SCHEMAS = compileSchemas(DOCUMENT);
const { schemas, 'x-schemas': extended } = DOCUMENT.components;

function* parts(schema: Schema, where: string): Generator<[string, Schema]> {
  yield [where, schema];
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    yield* parts(property, `${where}.${key}`);
  if (schema.items !== undefined) yield* parts(schema.items, `${where}[]`);
  if (typeof schema.additionalProperties === 'object')
    yield* parts(schema.additionalProperties, `${where}.*`);
}

const ALL = [...Object.entries(schemas), ...Object.entries(extended)].flatMap(([name, schema]) => [
  ...parts(schema, name),
]);

test('no object takes a field that is not described', () => {
  for (const [where, { type, additionalProperties, propertyNames }] of ALL) {
    // An answer's, different for each event; nothing of it ever comes in.
    if (where === 'AuditRecord.details') continue;
    // Flux's format, not ours: a newer Flux may say more, and nothing of it is kept.
    if (where === 'FluxEvent' || where === 'FluxEventObject') continue;
    if (type === undefined || ![type].flat().includes('object')) continue;
    const closed = additionalProperties === false;
    const map = typeof additionalProperties === 'object' && propertyNames !== undefined;
    assert.ok(closed || map, `${where} is open`);
  }
});

test('whatever comes in is bounded: strings, lists, maps and numbers', () => {
  const answersOnly =
    /^(Error|ClusterInputs|Trust(?!PlanRequest)\w*|Revision\w*|Plan|Plan(?!Hash\b)\w+|Planned\w+|RevocationProof|EnvironmentCounts|InputCounts)\b/;
  for (const [where, schema] of ALL) {
    if (answersOnly.test(where) || schema.enum !== undefined) continue;
    const types = [schema.type].flat();
    if (types.includes('string'))
      assert.ok('maxLength' in schema && 'pattern' in schema, `${where}: a string`);
    if (types.includes('array')) assert.ok('maxItems' in schema, `${where}: a list`);
    if (types.includes('integer'))
      assert.ok('minimum' in schema && 'maximum' in schema, `${where}: a number`);
    if (typeof schema.additionalProperties === 'object')
      assert.ok('maxProperties' in schema, `${where}: a map`);
  }
});

test('every pattern is anchored at both ends', () => {
  const patterns = ALL.flatMap(([, { pattern }]) => (typeof pattern === 'string' ? [pattern] : []));
  assert.ok(patterns.length > 15);
  for (const pattern of patterns) assert.match(pattern, /^\^.*\$$/s);
});

test('each …OrNull is its namesake, or null', () => {
  const nullable = Object.entries(extended).filter(
    ([name]) => name.endsWith('OrNull') && !['BooleanOrNull', 'ClusterStateOrNull'].includes(name),
  );
  assert.ok(nullable.length > 10);
  for (const [name, { type, ...rest }] of nullable) {
    const plain = name.replace(/OrNull$/, '');
    const namesake = schemas[plain] ?? extended[plain];
    assert.ok(namesake, plain);
    const { type: plainType, description, ...plainRest } = namesake;
    assert.deepEqual(type, [plainType, 'null'], name);
    assert.deepEqual({ ...rest, description }, { ...plainRest, description }, name);
  }
});

test('a merge patch takes the values of the map that it patches, or null', () => {
  const valuesOf = (map: unknown): Schema => resolve((map as Schema).additionalProperties as Schema);
  const pairs: readonly [unknown, unknown][] = [
    [extended.LabelsMergePatch, extended.Labels],
    [extended.AnnotationsMergePatch, extended.Annotations],
    [valuesOf(extended.PatchesMergePatch), extended.ComponentPatches],
  ];
  for (const [patch, map] of pairs) {
    const { description: _, type, ...rest } = valuesOf(map);
    assert.deepEqual(valuesOf(patch), { ...rest, type: [type, 'null'] });
    assert.deepEqual((patch as Schema).propertyNames, (map as Schema).propertyNames);
  }
});

for (const kind of ['Cluster', 'PlatformComponent', 'Namespace', 'Rolebinding']) {
  test(`${kind}: what is created, replaced, patched and answered has the same fields`, () => {
    const fields = (name: string): string[] => Object.keys(schemas[name]?.properties ?? {});
    for (const other of [`${kind}Put`, `${kind}MergePatch`, `Stored${kind}`]) {
      assert.deepEqual(fields(other), fields(kind), other);
    }
    assert.deepEqual(schemas[`${kind}Put`]?.required, undefined);
    assert.deepEqual(schemas[`${kind}MergePatch`]?.required, undefined);
  });
}

test('bounds that the gateway also knows are the same in the document', () => {
  const limit = (DOCUMENT.components as unknown as { parameters: Record<string, { schema: Schema }> })
    .parameters.Limit?.schema;
  assert.deepEqual([limit?.minimum, limit?.maximum], [1, LIMITS.pageItemsMax]);
  assert.deepEqual(schemas.Environment?.enum, ENVIRONMENTS);
  assert.equal(schemas.ClusterDns?.maxLength, LIMITS.dnsNameOctetsMax);
});

test('the pattern of cluster_dns refuses no canonical name', () => {
  const label = fastCheck.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  fastCheck.assert(
    fastCheck.property(fastCheck.array(label, { minLength: 1, maxLength: 6 }), (labels) => {
      const name = labels.join('.');
      fastCheck.pre(isCanonicalDnsName(name));
      assert.deepEqual(SCHEMAS.check('ClusterDns', name), [], name);
    }),
  );
});

function checkExamples(where: string, media: Media): number {
  let checked = 0;
  for (const [name, example] of Object.entries(media.examples ?? {})) {
    const { value } = resolve(example) as { value: unknown };
    const many = media.schema.type === 'array';
    const reference = (many ? media.schema.items : media.schema)?.$ref;
    const schema = reference?.replace('#/components/schemas/', '') ?? '';
    for (const one of many ? (value as unknown[]) : [value]) {
      assert.deepEqual(SCHEMAS.check(schema, one), [], `${where}: example ${name} of ${schema}`);
      checked++;
    }
  }
  return checked;
}

for (const { path, method, operationId } of readOperations(DOCUMENT).all) {
  test(`${operationId}: the examples of bodies and answers are valid`, () => {
    const { requestBody, responses } = documentedOperation(path, method);
    for (const media of Object.values(requestBody?.content ?? {})) {
      assert.notEqual(checkExamples(`${operationId} body`, media), 0, 'a body has an example');
    }
    for (const [status, response] of Object.entries(responses)) {
      const media = resolve(response).content?.['application/json'];
      if (media !== undefined) assert.notEqual(checkExamples(`${operationId} ${status}`, media), 0, status);
    }
  });
}
