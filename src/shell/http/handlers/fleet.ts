import { FluxgateError } from '../../../core/errors.ts';
import type { FleetKind } from '../../../core/fleet/objects.ts';
import { kindDefinition } from '../../../core/fleet/registry.ts';
import { createObject, deleteObject, patchObject, putObject } from '../../../core/fleet/write.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { filtersOf, numberOf, pageHeaders } from '../parameters.ts';
import type { Answer } from '../respond.ts';
import type { Parameters } from '../router.ts';
import type { Handler, HandlerParts } from './handlers.ts';

/** What operators do with one kind of object; the same few handlers for every kind in the registry. */
export function fleetHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  const { kind, method, path } = operation;
  if (kind === undefined) return undefined;
  const { store, schemas } = parts;
  const onOne = path.endsWith('/{id}');
  switch (`${method} ${onOne ? 'one' : 'all'}`) {
    case 'GET all':
      return ({ parameters }) => list(parts, kind, path, parameters);
    case 'POST all':
      return async ({ body }) => {
        const created = await store.transact((transactor) => createObject(kind, body, schemas, transactor));
        return { status: 201, body: created, headers: { Location: `${path}/${created.id}` } };
      };
    case 'GET one':
      return async ({ parameters }) => {
        const found = await store.reader.get(kind, idOf(parameters));
        if (found === undefined) throw notFound(kind);
        return { status: 200, body: found };
      };
    case 'PUT one':
      return async ({ parameters, body }) =>
        done(await store.transact((t) => putObject(kind, idOf(parameters), body, schemas, t)));
    case 'PATCH one':
      return async ({ parameters, body }) =>
        done(await store.transact((t) => patchObject(kind, idOf(parameters), body, schemas, t)));
    case 'DELETE one':
      return async ({ parameters }) =>
        done(await store.transact((t) => deleteObject(kind, idOf(parameters), t)));
    default:
      return undefined;
  }
}

async function list(
  parts: HandlerParts,
  kind: FleetKind,
  path: string,
  parameters: Parameters,
): Promise<Answer> {
  const { query } = parameters;
  const limit = numberOf(query['limit'], LIMITS.pageItemsMax);
  const offset = numberOf(query['offset'], 0);
  const { items, total } = await parts.store.reader.list(kind, {
    filters: filtersOf(kind, query),
    limit,
    offset,
  });
  const filters = filtersOf(kind, query);
  const headers = pageHeaders(path, filters, { limit, offset, items: items.length, total });
  return { status: 200, body: items, headers };
}

const done = (body: object): Answer => ({ status: 200, body });

const idOf = (parameters: Parameters): string => parameters.path['id'] ?? '';

function notFound(kind: FleetKind): FluxgateError {
  return new FluxgateError('not_found', `There is no ${kindDefinition(kind).title} of this id.`);
}
