import { Ajv, type ValidateFunction } from 'ajv';
import { type ErrorDetail, StartupError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { hasMoreValues } from './body-size.ts';
import { isRecord } from './canonical.ts';
import type { RawObject } from './kind.ts';
import { FLEET_KINDS, kindDefinition } from './registry.ts';
import { fieldOf, problemOf, type SchemaError } from './schema-problems.ts';

/** The schemas of openapi.yaml, compiled: what routes and documents is what validates. */
export interface FleetSchemas {
  /** What is wrong with `value`; empty: nothing. Throws if the document has no schema of this name. */
  check(schemaName: string, value: unknown): readonly ErrorDetail[];
}

/** An answer names this many problems: enough to repair a body, too few to make the answer a load. */
const DETAILS_MAX = 50;

/** Behind the problem at which the check of a large document ended. */
const FIRST_ONLY: ErrorDetail = Object.freeze({
  field: '/',
  problem: `has more than ${LIMITS.valuesToldWholeMax} values, so only the first problem is told; there may be more`,
});

const DOCUMENT_ID = 'openapi';

/** Annotations of OpenAPI that JSON Schema does not know; they say nothing about what is valid. */
const ANNOTATIONS = ['example', 'externalDocs', 'xml', 'discriminator'];

/**
 * Compiles every schema of components.schemas at once, so that a broken one is a refusal to start and not a failing request.
 * `checked`: that was done with this very document before, and each is compiled when it is asked for.
 * Throws StartupError, also when the document and the registry disagree about a kind.
 */
export function compileSchemas(openapiDocument: unknown, { checked = false } = {}): FleetSchemas {
  const components = isRecord(openapiDocument) ? openapiDocument.components : undefined;
  const schemas = isRecord(components) ? components.schemas : undefined;
  if (!isRecord(components) || !isRecord(schemas))
    throw new StartupError('openapi.yaml has no components.schemas');
  const whole = createValidators(components, { checked, allErrors: true });
  // Made when the first large document comes: few are.
  let first: Validators | undefined;
  if (!checked) for (const name of Object.keys(schemas)) whole(name);
  for (const kind of FLEET_KINDS) agreeAbout(kind, schemas);
  return Object.freeze({
    check(schemaName: string, value: unknown): readonly ErrorDetail[] {
      if (!Object.hasOwn(schemas, schemaName)) throw new Error(`openapi.yaml has no schema ${schemaName}`);
      if (!hasMoreValues(value, LIMITS.valuesToldWholeMax)) {
        const validate = whole(schemaName);
        return validate(value) ? [] : describeSchemaErrors(validate.errors ?? []);
      }
      first ??= createValidators(components, { checked: true, allErrors: false });
      const validate = first(schemaName);
      return validate(value) ? [] : [...describeSchemaErrors(validate.errors ?? []), FIRST_ONLY];
    },
  });
}

/** In people's words, each problem once, bounded. */
export function describeSchemaErrors(errors: readonly SchemaError[]): readonly ErrorDetail[] {
  const details = new Map<string, ErrorDetail>();
  for (const error of errors) {
    // The summary of a key's own error, which is in the list as well and says more.
    if (error.keyword === 'propertyNames' || error.keyword === 'if') continue;
    // A megabyte has 80,000 fields that are not known, and what each may have meant takes seconds, in which nobody is answered.
    const detail = { field: fieldOf(error), problem: problemOf(error, details.size < DETAILS_MAX) };
    details.set(`${detail.field} ${detail.problem}`, detail);
  }
  return boundDetails([...details.values()]);
}

/** The first problems, and a last line that says how many more there are. */
export function boundDetails(details: readonly ErrorDetail[]): readonly ErrorDetail[] {
  if (details.length <= DETAILS_MAX) return details;
  const more = details.length - DETAILS_MAX + 1;
  return [
    ...details.slice(0, DETAILS_MAX - 1),
    { field: '/', problem: `has ${more} more problems like these` },
  ];
}

type Validators = (name: string) => ValidateFunction;

/**
 * Each is compiled once, when it is first asked for. Schemas refer to each other anywhere under components, `x-schemas` included.
 * `allErrors`: whoever repairs a body wants the whole list; but Ajv copies the list for each entry behind a `$ref` that is wrong, and looks into lists
 * and maps that are longer than they may be, so it is for small documents. Without it sizes are looked at before what they are sizes of.
 */
function createValidators(
  components: RawObject,
  { checked, allErrors }: { readonly checked: boolean; readonly allErrors: boolean },
): Validators {
  const ajv = new Ajv({
    strict: true,
    allowUnionTypes: true, // `type: [string, 'null']` is how OpenAPI 3.1 says "may be null"
    strictRequired: false, // a schema may require what its $ref defines
    allErrors,
    verbose: true, // the problems quote the schema; the value is never read
    coerceTypes: false,
    useDefaults: false,
    removeAdditional: false,
    ownProperties: true, // `constructor` is a possible key, not an inherited one
    validateSchema: !checked, // against the schema of schemas, whose compilation is dear
    meta: !checked,
    validateFormats: true,
    messages: false,
    logger: false,
  });
  // The document's frame is no schema, only where the references point into.
  ajv.addVocabulary(['components', ...ANNOTATIONS, ...extensions(components)]);
  ajv.addSchema({ components }, DOCUMENT_ID, false, false);
  // Ajv's own compares each entry with each other, unless it sees without following a `$ref` that all are scalars: a minute for a megabyte.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (unique: boolean, list: readonly unknown[]) => !unique || isUnique(list),
  });
  const compiled = new Map<string, ValidateFunction>();
  const compile = (name: string): ValidateFunction => {
    try {
      return ajv.compile({ $ref: `${DOCUMENT_ID}#/components/schemas/${name}` });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StartupError(`openapi.yaml: the schema ${name} cannot be used: ${reason}`, error);
    }
  };
  return (name) => {
    const validate = compiled.get(name) ?? compile(name);
    compiled.set(name, validate);
    return validate;
  };
}

/** Of objects, only those with the same fields in the same order are the same: all such lists of the document are of strings. */
function isUnique(list: readonly unknown[]): boolean {
  const seen = new Set<string>();
  for (const entry of list) seen.add(JSON.stringify(entry));
  return seen.size === list.length;
}

/** Every `x-…` key in the schemas: OpenAPI's place for notes of one's own. */
function extensions(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, part] of Object.entries(value)) {
    if (key.startsWith('x-')) found.add(key);
    extensions(part, found);
  }
  return found;
}

/** Registry and document name the same fields, or one of them would silently drop what the other lets in. */
function agreeAbout(kind: (typeof FLEET_KINDS)[number], schemas: RawObject): void {
  const { schema: name, fields } = kindDefinition(kind);
  const schema = schemas[name];
  if (!isRecord(schema))
    throw new StartupError(`openapi.yaml has no schema ${name}, which kind ${kind} needs`);
  if (schema.additionalProperties !== false) {
    throw new StartupError(`openapi.yaml: the schema ${name} needs additionalProperties: false`);
  }
  const documented = isRecord(schema.properties) ? Object.keys(schema.properties) : [];
  const known: readonly string[] = fields;
  const unknown = documented.find((field) => !known.includes(field));
  if (unknown !== undefined) {
    throw new StartupError(
      `openapi.yaml: ${name}.${unknown} is not a field of kind ${kind} in src/core/fleet`,
    );
  }
  const missing = known.find((field) => !documented.includes(field));
  if (missing !== undefined)
    throw new StartupError(`openapi.yaml: the schema ${name} lacks the field ${missing}`);
}
