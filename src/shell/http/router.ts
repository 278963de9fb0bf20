import { type Document, OpenAPIBackend, type ParsedRequest } from 'openapi-backend';
import { type ErrorDetail, FluxgateError, StartupError } from '../../core/errors.ts';
import { boundDetails, describeSchemaErrors, type FleetSchemas } from '../../core/fleet/schemas.ts';
import type { Operation, OperationTable } from '../../core/policy/operations.ts';
import { createRouteIndex } from './route-index.ts';
import type { Target } from './target.ts';

/** What the document says about a request, before anybody was asked who they are. */
export type Route =
  | { readonly found: true; readonly operation: Operation; readonly params: Readonly<Record<string, string>> }
  /** `allow`: the methods that the path has; empty: there is no such path. */
  | { readonly found: false; readonly allow: readonly string[] };

/** Values of an operation's parameters, of the types that the document gives them. */
export interface Parameters {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | number | boolean>>;
}

export interface Router {
  match(method: string, target: Target): Route;
  /** Media types of the operation's body; empty: it takes none. */
  mediaTypes(operation: Operation): readonly string[];
  /** Throws `validation_error`; a body that the document does not describe is refused, never let through. */
  validate(operation: Operation, target: Target, body: unknown): Parameters;
}

const NO_QUERY = Object.freeze({});
const NO_PARAMETERS: Parameters = Object.freeze({ path: Object.freeze({}), query: NO_QUERY });
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/**
 * openapi.yaml routes and validates; every default of openapi-backend that would let something through is set. `checked`: a
 * router was made of this very document before, and what its parameters are checked with is compiled when it is asked for.
 */
export async function createRouter(
  document: object,
  operations: OperationTable,
  schemas: FleetSchemas,
  { checked = false } = {},
): Promise<Router> {
  const backend = new OpenAPIBackend({
    definition: routingView(document, checked),
    strict: true,
    quick: checked,
    validate: true,
    ignoreTrailingSlashes: false,
    coerceTypes: true,
    ajvOpts: {
      allErrors: true,
      strict: false,
      coerceTypes: false,
      useDefaults: false,
      // One instance per operation would compile the schema of schemas again; the document itself was checked above.
      validateSchema: false,
      meta: false,
      removeAdditional: false,
    },
  });
  try {
    await backend.init();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      `openapi.yaml is not a document that can route and validate requests: ${reason}`,
      error,
    );
  }
  const bodies = bodySchemas(document, operations);
  const noMediaTypes: readonly string[] = [];

  const index = createRouteIndex(operations.all);
  const described = new Map(backend.router.getOperations().map((each) => [each.operationId, each]));

  /** Of paths without parameters: with no query, each is what it was. */
  const validAsTheyAre = new Set<Operation>();

  const readParameters = (operation: Operation, target: Target): Parameters => {
    const matched = described.get(operation.operationId);
    const query = readQuery(target.query, matched?.parameters ?? []);
    const result = backend.validateRequest(
      { method: operation.method, path: target.path, query, headers: {} },
      matched,
    );
    if (!result.valid) {
      throw invalid(
        'A parameter is not as the API takes it; see details.',
        describeSchemaErrors(result.errors ?? []),
      );
    }
    const coerced = result.coerced as ParsedRequest | undefined;
    return Object.freeze({
      path: Object.freeze({ ...coerced?.params }) as Parameters['path'],
      query: Object.freeze({ ...coerced?.query }) as Parameters['query'],
    });
  };

  /** By the library's own compiled checks, without its reading of the request anew. What does not pass is read by it, which says why. */
  const isAsDescribed = ({ operationId }: Operation, params: Parameters['path']): boolean => {
    const given = { path: { ...params }, query: {}, header: {}, cookie: {} };
    const checks = backend.validator.getRequestValidatorsForOperation(operationId);
    return checks.length > 0 && checks.every((check) => check(given) === true);
  };

  return {
    match(method, { path }) {
      const found = index.find(method, path);
      if (found !== undefined) return { found: true, operation: found.operation, params: found.params };
      return { found: false, allow: METHODS.filter((other) => index.find(other, path) !== undefined) };
    },
    mediaTypes: (operation) => bodies.get(operation.operationId)?.mediaTypes ?? noMediaTypes,
    validate(operation, target, body) {
      const schemaName = bodies.get(operation.operationId)?.schemaName;
      if (schemaName !== undefined) checkBody(schemas, schemaName, body);
      if (target.query !== '') return readParameters(operation, target);
      if (!operation.path.includes('{')) {
        if (!validAsTheyAre.has(operation)) readParameters(operation, target);
        validAsTheyAre.add(operation);
        return NO_PARAMETERS;
      }
      const found = index.find(operation.method, target.path);
      if (found?.operation === operation && isAsDescribed(operation, found.params))
        return { path: found.params, query: NO_QUERY };
      return readParameters(operation, target);
    },
  };
}

/**
 * The document as far as routes and parameters go. Bodies are checked by the compiled schemas (openapi-backend would pass
 * every body that is not application/json), and answers by the tests: compiling both here takes seconds of each start.
 */
function routingView(document: object, checked: boolean): Document {
  const { paths = {}, components = {}, ...frame } = document as Record<string, Record<string, object>>;
  const routed = Object.entries(paths).map(([path, item]) => [
    path,
    Object.fromEntries(Object.entries(item).map(([part, described]) => [part, withoutBodies(described)])),
  ]);
  const view: Record<string, unknown> = { ...frame, paths: Object.fromEntries(routed) };
  const { responses, examples, headers, ...all } = components;
  // The library looks for what is wrong with any of them, and reads through all of them for what refers to what.
  view['components'] = checked ? referredTo(components, view) : all;
  // The library works on what it is given.
  return structuredClone(view) as unknown as Document;
}

function withoutBodies(described: object): object {
  if (!('operationId' in described)) return described;
  const { requestBody, ...rest } = described as Record<string, unknown>;
  return { ...rest, responses: {} };
}

/** Of the components, what `value` refers to, and what that refers to. */
function referredTo(components: Readonly<Record<string, object>>, value: unknown): object {
  const found: Record<string, Record<string, unknown>> = {};
  const walk = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    for (const [key, inner] of Object.entries(part)) {
      if (key === '$ref') take(inner);
      else walk(inner);
    }
  };
  const take = (reference: unknown): void => {
    const [, group = '', name = ''] = /^#\/components\/([^/]+)\/([^/]+)/.exec(String(reference)) ?? [];
    const named = (components[group] as Readonly<Record<string, unknown>> | undefined)?.[name];
    if (named === undefined || found[group]?.[name] !== undefined) return;
    found[group] = { ...found[group], [name]: named };
    walk(named);
  };
  walk(value);
  return found;
}

/** As the document declares it; openapi-backend has dereferenced it. */
interface DeclaredParameter {
  readonly name?: string;
  readonly in?: string;
  readonly schema?: { readonly type?: unknown };
}

/**
 * Each parameter at most once, none that is not declared, integers in plain decimal: the library would coerce `1e3` and
 * `0x10`, and looks names up where `constructor` is always to be found. Throws `validation_error`.
 */
function readQuery(text: string, declared: readonly object[]): Record<string, string> {
  const known = new Map(
    (declared as readonly DeclaredParameter[])
      .filter((parameter) => parameter.in === 'query')
      .map((parameter) => [parameter.name, parameter.schema?.type]),
  );
  const query = new Map<string, string>();
  const problems: ErrorDetail[] = [];
  for (const [index, [name, value]] of [...new URLSearchParams(text)].entries()) {
    // A secret that was put where a name belongs is not repeated: answers and the log name it by its place.
    const field = /^[a-z_]{1,32}$/.test(name) ? name : `parameter ${index + 1}`;
    if (!known.has(name)) problems.push({ field, problem: 'is not a known parameter' });
    else if (query.has(name)) problems.push({ field, problem: 'is there twice: name it once' });
    else if (known.get(name) === 'integer' && !/^\d{1,15}$/.test(value)) {
      problems.push({ field, problem: 'must be a whole number in decimal digits' });
    }
    query.set(name, value);
  }
  if (problems.length > 0) {
    throw invalid('A parameter is not as the API takes it; see details.', boundDetails(problems));
  }
  return Object.fromEntries(query);
}

function checkBody(schemas: FleetSchemas, schemaName: string, body: unknown): void {
  const problems = schemas.check(schemaName, body);
  if (problems.length > 0) throw invalid('The body is not as the API takes it; see details.', problems);
}

function invalid(message: string, details: readonly ErrorDetail[]): FluxgateError {
  return new FluxgateError('validation_error', message, { details });
}

interface BodyContent {
  readonly content?: Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>>;
}

interface DeclaredBody {
  readonly mediaTypes: readonly string[];
  readonly schemaName: string;
}

/** By operation id. Throws where a body is described in any way but by `$ref`. */
function bodySchemas(document: object, operations: OperationTable): Map<string, DeclaredBody> {
  const paths = (document as { paths: Record<string, Record<string, { requestBody?: BodyContent }>> }).paths;
  const bodies = new Map<string, DeclaredBody>();
  for (const operation of operations.all) {
    const described = paths[operation.path]?.[operation.method.toLowerCase()]?.requestBody;
    if (described === undefined) continue;
    const [content, ...others] = Object.entries(described.content ?? {});
    if (content === undefined || others.length > 0) {
      throw new StartupError(`openapi.yaml: ${operation.operationId}: a body has exactly one media type`);
    }
    const [mediaType, { schema }] = content;
    const schemaName = /^#\/components\/schemas\/(\w+)$/.exec(schema?.$ref ?? '')?.[1];
    if (schemaName === undefined) {
      throw new StartupError(
        `openapi.yaml: ${operation.operationId}: the body's schema must be a $ref to a schema`,
      );
    }
    bodies.set(operation.operationId, { mediaTypes: [mediaType], schemaName });
  }
  return bodies;
}
