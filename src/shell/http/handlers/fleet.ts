import { FluxgateError } from '../../../core/errors.ts';
import type { FleetTransactor } from '../../../core/fleet/access.ts';
import type { FleetKind } from '../../../core/fleet/objects.ts';
import { kindDefinition } from '../../../core/fleet/registry.ts';
import { createObject, deleteObject, patchObject, putObject } from '../../../core/fleet/write.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { filtersOf, numberOf, pageHeaders } from '../parameters.ts';
import type { Answer } from '../respond.ts';
import type { Parameters } from '../router.ts';
import type { Call, Handler, HandlerParts } from './handlers.ts';
import { withinRights } from './within-rights.ts';

/** What operators do with one kind of object; the same few handlers for every kind in the registry. */
export function fleetHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  const { kind, method, path } = operation;
  if (kind === undefined) return undefined;
  const { store, schemas } = parts;
  const onOne = path.endsWith('/{id}');
  const write = <T>(call: Call, work: (transactor: FleetTransactor) => Promise<T>): Promise<T> =>
    store.transact((transactor) => work(withinRights(transactor, operation, call)));
  switch (`${method} ${onOne ? 'one' : 'all'}`) {
    case 'GET all':
      return ({ parameters }) => list(parts, kind, path, parameters);
    case 'POST all':
      return async (call) => {
        const created = await write(call, (t) => createObject(kind, call.body, schemas, t));
        return { status: 201, body: created, headers: { Location: `${path}/${created.id}` } };
      };
    case 'GET one':
      return async ({ parameters }) => {
        const found = await store.reader.get(kind, idOf(parameters));
        if (found === undefined) throw notFound(kind);
        return { status: 200, body: found };
      };
    case 'PUT one':
      return async (call) =>
        done(await write(call, (t) => putObject(kind, idOf(call.parameters), call.body, schemas, t)));
    case 'PATCH one':
      return async (call) =>
        done(await write(call, (t) => patchObject(kind, idOf(call.parameters), call.body, schemas, t)));
    case 'DELETE one':
      return async (call) => done(await write(call, (t) => deleteObject(kind, idOf(call.parameters), t)));
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
