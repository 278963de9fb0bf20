import { FluxgateError } from '../../../core/errors.ts';
import type { FleetKind, FleetObject } from '../../../core/fleet/objects.ts';
import {
  type ConditionalHeaders,
  changePrecondition,
  creationPrecondition,
  entityTagOfText,
} from '../../../core/fleet/preconditions.ts';
import { kindDefinition } from '../../../core/fleet/registry.ts';
import {
  createObject,
  deleteObject,
  type ObjectTerms,
  patchObject,
  putObject,
} from '../../../core/fleet/write.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { filtersOf, numberOf, pageHeaders } from '../parameters.ts';
import type { Answer } from '../respond.ts';
import type { Parameters } from '../router.ts';
import type { Call, Handler, HandlerParts } from './handlers.ts';
import { recordedWrite } from './recorded.ts';
import { writeTerms, writtenAnswer } from './write-terms.ts';

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
      return async (call) => {
        const terms = { ...writeTerms(call, parts), precondition: creationPrecondition(conditions(call)) };
        return recordedWrite(call, parts, 'write', async (t) => {
          const created = await createObject(kind, call.body, schemas, t, terms);
          return located(writtenAnswer(call, 201, created), `${path}/${created.object.id}`);
        });
      };
    case 'GET one':
      return async ({ parameters, cluster }) => {
        const known = kind === 'cluster' ? cluster : undefined;
        const found = known ?? (await store.reader.get(kind, idOf(parameters)));
        if (found === undefined) throw notFound(kind);
        return answerWith(found);
      };
    case 'PUT one':
      return async (call) => {
        const terms = changeTerms(call, parts);
        const id = idOf(call.parameters);
        return recordedWrite(call, parts, 'write', async (t) =>
          writtenAnswer(call, 200, await putObject(kind, id, call.body, schemas, t, terms)),
        );
      };
    case 'PATCH one':
      return async (call) => {
        const terms = changeTerms(call, parts);
        const id = idOf(call.parameters);
        return recordedWrite(call, parts, 'write', async (t) =>
          writtenAnswer(call, 200, await patchObject(kind, id, call.body, schemas, t, terms)),
        );
      };
    case 'DELETE one':
      return async (call) => {
        const terms = changeTerms(call, parts);
        const id = idOf(call.parameters);
        const detach = call.parameters.query['detach'] === true;
        return recordedWrite(call, parts, 'write', async (t) =>
          writtenAnswer(call, 200, await deleteObject(kind, id, t, terms, detach)),
        );
      };
    default:
      return undefined;
  }
}

/** The store's reader hands out one and the same object, frozen to its leaves, for as long as nothing changes it. */
const answers = new WeakMap<FleetObject, Answer>();

function answerWith(object: FleetObject): Answer {
  let answer = answers.get(object);
  if (answer === undefined) {
    const text = JSON.stringify(object);
    answer = { status: 200, body: object, text, headers: { ETag: entityTagOfText(text) } };
    answers.set(object, answer);
  }
  return answer;
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

/** Only what was created is somewhere. */
const located = (answer: Answer, location: string): Answer =>
  answer.status === 201 ? { ...answer, headers: { ...answer.headers, Location: location } } : answer;

const changeTerms = (call: Call, parts: HandlerParts): ObjectTerms => ({
  ...writeTerms(call, parts),
  precondition: changePrecondition(conditions(call), parts.requireIfMatch),
});

const conditions = ({ header }: Call): ConditionalHeaders => ({
  ifMatch: header('if-match'),
  ifNoneMatch: header('if-none-match'),
});

const idOf = (parameters: Parameters): string => parameters.path['id'] ?? '';

function notFound(kind: FleetKind): FluxgateError {
  return new FluxgateError('not_found', `There is no ${kindDefinition(kind).title} of this id.`);
}
