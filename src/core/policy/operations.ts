import { StartupError } from '../errors.ts';
import type { FleetKind } from '../fleet/objects.ts';
import { FLEET_KINDS } from '../fleet/registry.ts';

/** For whom a route is: the network gate and read-only mode go by it. */
export const AUDIENCES = Object.freeze([
  /** Anybody. */
  'public',
  /** What Flux polls. */
  'flux',
  /** Only in crud mode, only from OPERATOR_NETWORKS. */
  'operator',
] as const);
export type Audience = (typeof AUDIENCES)[number];

/** What an operator route without a kind of object is about: policies can give each to other people. */
const SUBJECTS = Object.freeze(['fleet', 'trust', 'page'] as const);
export type Subject = (typeof SUBJECTS)[number];

export const METHODS = Object.freeze(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const);
export type Method = (typeof METHODS)[number];

/** One route of openapi.yaml. */
export interface Operation {
  readonly operationId: string;
  readonly method: Method;
  /** As in the document, with its `{parameters}`. */
  readonly path: string;
  readonly audience: Audience;
  /** The kind of object that the route is about; undefined where it is about none or all. */
  readonly kind: FleetKind | undefined;
  /** Of an operator route without a kind; undefined for every other route. */
  readonly about: Subject | undefined;
}

export interface OperationTable {
  /** In the document's order. */
  readonly all: readonly Operation[];
  get(operationId: string): Operation | undefined;
}

/** What a path item may hold besides operations (OpenAPI 3.1 §4.8.9). */
const PATH_ITEM_FIELDS: readonly string[] = ['$ref', 'summary', 'description', 'servers', 'parameters'];

/**
 * The routes of a parsed OpenAPI document. Throws StartupError for a route that would not be gated: one without an id of its
 * own, without a known audience, or of a method that the gateway does not know.
 */
export function readOperations(document: unknown): OperationTable {
  const table = new Map<string, Operation>();
  for (const [path, item] of Object.entries(record(record(document).paths))) {
    for (const [field, described] of Object.entries(record(item))) {
      if (PATH_ITEM_FIELDS.includes(field) || field.startsWith('x-')) continue;
      const operation = readOperation(path, field, record(described));
      const namesake = table.get(operation.operationId);
      if (namesake !== undefined) {
        throw problem(
          path,
          field,
          `operationId ${operation.operationId} is taken by ${namesake.method} ${namesake.path}`,
        );
      }
      table.set(operation.operationId, operation);
    }
  }
  if (table.size === 0) throw new StartupError('openapi.yaml describes no operation');
  return Object.freeze({
    all: Object.freeze([...table.values()]),
    get: (operationId: string) => table.get(operationId),
  });
}

function readOperation(path: string, field: string, described: Readonly<Record<string, unknown>>): Operation {
  const method = METHODS.find((known) => known.toLowerCase() === field);
  if (method === undefined) throw problem(path, field, `must be one of ${METHODS.join(', ')}`);
  const { operationId } = described;
  if (typeof operationId !== 'string' || !/^[a-z][A-Za-z0-9]*$/.test(operationId)) {
    throw problem(path, field, 'operationId must be a name of letters and digits');
  }
  const audience = AUDIENCES.find((known) => known === described['x-fluxgate-audience']);
  if (audience === undefined) {
    throw problem(path, field, `x-fluxgate-audience must be one of ${AUDIENCES.join(', ')}`);
  }
  const kind = FLEET_KINDS.find((known) => known === described['x-fluxgate-kind']);
  if (kind === undefined && described['x-fluxgate-kind'] !== undefined) {
    throw problem(path, field, `x-fluxgate-kind must be one of ${FLEET_KINDS.join(', ')}`);
  }
  const about = SUBJECTS.find((known) => known === described['x-fluxgate-about']);
  const needed = audience === 'operator' && kind === undefined;
  if (
    (about !== undefined) !== needed ||
    (about === undefined && described['x-fluxgate-about'] !== undefined)
  ) {
    throw problem(
      path,
      field,
      `x-fluxgate-about must be one of ${SUBJECTS.join(', ')} for an operator route without x-fluxgate-kind, and absent elsewhere`,
    );
  }
  return Object.freeze({ operationId, method, path, audience, kind, about });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function problem(path: string, field: string, text: string): StartupError {
  return new StartupError(`openapi.yaml: ${field.toUpperCase()} ${path}: ${text}`);
}
