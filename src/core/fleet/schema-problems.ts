import type { ErrorObject } from 'ajv';
import { nearest } from '../nearest.ts';
import { pointer } from './canonical.ts';

/** The part of Ajv's error that is read; never the value, which may be a secret in a patch. */
export type SchemaError = Pick<ErrorObject, 'keyword' | 'instancePath' | 'params' | 'parentSchema'> & {
  readonly propertyName?: string | undefined;
};

type Params = Readonly<Record<string, unknown>>;

const TYPES: Readonly<Record<string, string>> = Object.freeze({
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
});

const UNKNOWN = 'is not a known field';

/** Keyword → what the field should be. A keyword that is not here gets Ajv's name for it: a test lists those in use. */
const PROBLEMS: Readonly<Record<string, (params: Params, schema: Params) => string>> = Object.freeze({
  required: () => 'is required',
  additionalProperties: () => UNKNOWN,
  unevaluatedProperties: () => UNKNOWN,
  type: ({ type }) => `must be ${typeNames(type)}`,
  enum: ({ allowedValues }) => `must be one of ${listed(allowedValues)}`,
  const: ({ allowedValue }) => `must be ${JSON.stringify(allowedValue)}`,
  pattern: ({ pattern }, { description }) => patternProblem(pattern, description),
  minLength: ({ limit }) => (limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`),
  maxLength: ({ limit }) => `must have at most ${limit} characters`,
  minItems: ({ limit }) => `must have at least ${limit} ${limit === 1 ? 'entry' : 'entries'}`,
  maxItems: ({ limit }) => `must have at most ${limit} ${limit === 1 ? 'entry' : 'entries'}`,
  minProperties: ({ limit }) => `must have at least ${limit} ${limit === 1 ? 'field' : 'fields'}`,
  maxProperties: ({ limit }) => `must have at most ${limit} ${limit === 1 ? 'field' : 'fields'}`,
  minimum: ({ limit }) => `must be at least ${limit}`,
  maximum: ({ limit }) => `must be at most ${limit}`,
  exclusiveMinimum: ({ limit }) => `must be more than ${limit}`,
  exclusiveMaximum: ({ limit }) => `must be less than ${limit}`,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${multipleOf}`,
  uniqueItems: () => 'must not repeat an entry',
  format: ({ format }) => `must be a valid ${format}`,
  not: () => 'must be something else: this value is excluded',
  'false schema': () => 'must not be there',
});

/** Pointer of the field that is wrong: what is missing or unknown is named itself, not the object around it. */
export function fieldOf(error: SchemaError): string {
  const named = error.params.missingProperty ?? error.params.additionalProperty ?? error.propertyName;
  const inside =
    error.keyword === 'required' || error.keyword.endsWith('Properties') || error.propertyName !== undefined;
  return inside && typeof named === 'string'
    ? `${error.instancePath}${pointer(named)}`
    : error.instancePath || '/';
}

/** `hints`: the field that may have been meant is looked for as well. */
export function problemOf(error: SchemaError, hints = true): string {
  if (hints && error.keyword === 'additionalProperties')
    return unknownField(error.params.additionalProperty, asParams(error.parentSchema));
  const describe = PROBLEMS[error.keyword];
  const problem = describe?.(error.params, asParams(error.parentSchema)) ?? `must satisfy "${error.keyword}"`;
  return error.propertyName === undefined ? problem : `has a key that ${problem}`;
}

/** The field that may have been meant is one of the schema's: what was sent is told of by its place alone. */
function unknownField(name: unknown, { properties }: Params): string {
  const near = nearest(String(name), Object.keys(asParams(properties)));
  return near === undefined ? UNKNOWN : `${UNKNOWN}; is ${near} meant?`;
}

/** The description's first sentence says it to people, the pattern to their programs. */
function patternProblem(pattern: unknown, description: unknown): string {
  const sentence =
    typeof description === 'string' ? /^.*?(?=\.\s|\.?$)/s.exec(description.trim())?.[0] : undefined;
  return `must match ${String(pattern)}${sentence === undefined ? '' : `: ${sentence}`}`;
}

function typeNames(type: unknown): string {
  const names = (Array.isArray(type) ? type : String(type).split(',')).map(
    (name) => TYPES[String(name)] ?? name,
  );
  return names.join(' or ');
}

function listed(values: unknown): string {
  return Array.isArray(values) ? values.filter((value) => value !== null).join(', ') : String(values);
}

function asParams(schema: unknown): Params {
  return typeof schema === 'object' && schema !== null ? (schema as Params) : {};
}
