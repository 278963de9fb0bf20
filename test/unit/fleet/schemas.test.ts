import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartupError } from '../../../src/core/errors.ts';
import { FLEET_KINDS, kindDefinition } from '../../../src/core/fleet/registry.ts';
import { compileSchemas, describeSchemaErrors } from '../../../src/core/fleet/schemas.ts';
import { fleetSchemas } from '../../support/fleet.ts';

type Schemas = Record<string, Record<string, unknown>>;

/** The least document that agrees with the registry; `extra` replaces or adds schemas. */
function document(extra: Schemas = {}): unknown {
  const schemas: Schemas = {};
  for (const kind of FLEET_KINDS) {
    const { schema, fields } = kindDefinition(kind);
    const properties = Object.fromEntries(fields.map((field) => [field, {}]));
    schemas[schema] = { type: 'object', additionalProperties: false, properties };
  }
  return { components: { schemas: { ...schemas, ...extra } } };
}

function problem(schema: Record<string, unknown>, value: unknown): string[] {
  return compileSchemas(document({ Tried: schema }))
    .check('Tried', value)
    .map((detail) => `${detail.field} ${detail.problem}`);
}

test('problems are in people’s words, at the field that is wrong', () => {
  const cases: readonly (readonly [Record<string, unknown>, unknown, string])[] = [
    [{ type: 'string' }, 1, '/ must be a string'],
    [{ type: ['integer', 'null'] }, 'x', '/ must be a whole number or null'],
    [{ type: 'string', enum: ['dev', 'qa', null] }, 'x', '/ must be one of dev, qa'],
    [{ type: 'object', required: ['a/b'] }, {}, '/a~1b is required'],
    [{ type: 'object', additionalProperties: false }, { 'x~y': 1 }, '/x~0y is not a known field'],
    [
      { type: 'object', additionalProperties: false, properties: { colour: {}, id: {} } },
      { color: 1 },
      '/color is not a known field; is colour meant?',
    ],
    [{ type: 'array', maxItems: 1 }, [1, 2], '/ must have at most 1 entry'],
    [{ type: 'string', minLength: 1 }, '', '/ must not be empty'],
    [{ type: 'string', maxLength: 2 }, 'abc', '/ must have at most 2 characters'],
    [{ type: 'integer', minimum: 0 }, -1, '/ must be at least 0'],
    [{ type: 'integer' }, '1', '/ must be a whole number'],
    [
      { type: 'string', pattern: '^a$', description: 'The letter a. Nothing else.' },
      'b',
      '/ must match ^a$: The letter a',
    ],
    [
      { type: 'object', propertyNames: { maxLength: 1 } },
      { ab: 1 },
      '/ab has a key that must have at most 1 characters',
    ],
  ];
  for (const [schema, value, expected] of cases) assert.deepEqual(problem(schema, value), [expected]);
});

test('a list of problems is bounded and says how many more there are', () => {
  const details = problem(
    { type: 'array', items: { type: 'string' } },
    Array.from({ length: 200 }, () => 1),
  );
  assert.equal(details.length, 50);
  assert.equal(details.at(-1), '/ has 151 more problems like these');
});

test('what an unknown field may have meant is looked for as often as it is told, and not for each of a megabyte', () => {
  let looks = 0;
  const parentSchema = {
    get properties() {
      looks++;
      return { colour: {} };
    },
  };
  const errors = Array.from({ length: 1_000 }, (_, n) => ({
    keyword: 'additionalProperties',
    instancePath: '',
    params: { additionalProperty: `colou${n}` },
    parentSchema,
  }));
  const details = describeSchemaErrors(errors);
  assert.deepEqual(details[0], { field: '/colou0', problem: 'is not a known field; is colour meant?' });
  assert.deepEqual(details.at(-1), { field: '/', problem: 'has 951 more problems like these' });
  assert.equal(looks, details.length);
});

test('nothing is coerced, filled in or removed', () => {
  const value = { n: '1', extra: true };
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' }, d: { type: 'string', default: 'x' } },
    additionalProperties: false,
  };
  assert.equal(problem(schema, value).length, 2);
  assert.deepEqual(value, { n: '1', extra: true });
});

test('an inherited key is not taken for a required field', () => {
  assert.deepEqual(problem({ type: 'object', required: ['constructor'] }, {}), ['/constructor is required']);
});

test('a schema that says nothing to Ajv is a refusal to start', () => {
  for (const broken of [
    { typ: 'string' },
    { type: 'strin' },
    { type: 'string', format: 'no-such-format' },
    { $ref: '#/components/schemas/Missing' },
  ]) {
    assert.throws(
      () => compileSchemas(document({ Tried: broken })),
      (error) => error instanceof StartupError && /the schema Tried/.test(error.message),
    );
  }
});

test('a document without schemas, or without one that a kind needs, is a refusal to start', () => {
  for (const nothing of [null, {}, { components: {} }, 'x', []]) {
    assert.throws(() => compileSchemas(nothing), StartupError);
  }
  const { components } = document() as { components: { schemas: Schemas } };
  const { Namespace: _, ...others } = components.schemas;
  assert.throws(
    () => compileSchemas({ components: { schemas: others } }),
    /no schema Namespace, which kind namespace needs/,
  );
});

test('document and registry disagree about a field: a refusal to start that names it', () => {
  const open = { type: 'object', properties: { id: {}, labels: {}, annotations: {} } };
  assert.throws(
    () => compileSchemas(document({ Namespace: open })),
    /Namespace needs additionalProperties: false/,
  );
  const closed = { ...open, additionalProperties: false };
  assert.throws(
    () =>
      compileSchemas(
        document({ Namespace: { ...closed, properties: { ...closed.properties, colour: {} } } }),
      ),
    /Namespace.colour is not a field of kind namespace/,
  );
  assert.throws(
    () => compileSchemas(document({ Namespace: { ...closed, properties: { id: {}, labels: {} } } })),
    /Namespace lacks the field annotations/,
  );
});

test('to ask for a schema that is not there is an error, not an empty list', () => {
  assert.throws(() => fleetSchemas().check('NoSuch', {}), /no schema NoSuch/);
});

test('openapi.yaml compiles, and agrees with the registry', () => {
  for (const kind of FLEET_KINDS)
    assert.ok(fleetSchemas().check(kindDefinition(kind).schema, null).length > 0);
});
