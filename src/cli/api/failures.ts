import { pointerParts, shownPath } from '../../core/fleet/canonical.ts';
import { CommandFailed } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { shellWord, shown } from '../output/text.ts';
import type { ApiAnswer, ApiRequest } from './transport.ts';

/** What a status means for whoever typed the command, and what to do next. {list}, {get}, {unassign}: the command, where one is known. */
const NEXT: Readonly<Record<number, string>> = Object.freeze({
  400: 'correct what is named, and send it again{unwritten}',
  401: 'the token is unknown, expired or revoked: --token-file, or ask for a new one (fluxgate token create)',
  403: 'this credential may not do that, or not from this network (OPERATOR_NETWORKS). An auditor sees why: fluxgate trust explain --request-id ID',
  404: 'check the name{list}',
  405: 'this gateway is read-only (API_MODE=read-only): use the one that has API_MODE=crud',
  409: 'read it again{get} and decide again',
  412: 'somebody changed it since it was read: read it again{get} and decide again',
  413: 'send less at once',
  428: 'this gateway changes only what was read (REQUIRE_IF_MATCH): use edit or apply, or --if-match with the ETag that get prints',
  421: 'connect by the name that the gateway is called by',
  429: 'wait, then try again',
  431: 'something in between adds headers: connect directly',
  495: "the operator certificate is not accepted. Is it under OPERATOR_CA_FILE, in time, and not revoked? The gateway's log has the rule (fluxgate trust explain)",
  503: 'the gateway cannot answer truthfully now: try again, and look at /ready and at its log',
});

/** Where the code says more than the status. */
const NEXT_OF_CODE: Readonly<Record<string, string>> = Object.freeze({
  in_use: 'take it away from who uses it first{unassign}{detached}',
  conflict: 'somebody or something was there first: look at it{get} and decide again',
  secret_suspected:
    'put the secret into a Secret in the cluster and name it in secret_refs (docs/fleet-safety.md)',
});

const NO_ROUTE =
  'In read-only mode (API_MODE) the operator routes are not there at all: use the gateway that has API_MODE=crud';

const EXIT_OF: Readonly<Record<number, number>> = Object.freeze({
  401: EXIT.refused,
  403: EXIT.refused,
  495: EXIT.refused,
  404: EXIT.notFound,
  409: EXIT.conflict,
  412: EXIT.conflict,
  428: EXIT.conflict,
  429: EXIT.unavailable,
  503: EXIT.unavailable,
});

export interface ErrorBody {
  readonly error: string;
  readonly message: string;
  readonly request_id?: string;
  readonly details: readonly { readonly field: string; readonly problem: string }[];
  readonly plan?: unknown;
}

/** Paths of objects, which have get and unassign. */
const OBJECTS = ['clusters', 'platform_components', 'namespaces', 'rolebindings'];

/** Paths to which questions are sent, which write nothing. */
const ASKS = ['trust', 'explain'];

/** By the first segment of a path: the command that lists what is there. */
const LISTS: Readonly<Record<string, string>> = Object.freeze({
  clusters: 'cluster list',
  platform_components: 'component list',
  namespaces: 'namespace list',
  rolebindings: 'rolebinding list',
  revisions: 'revision list',
  revocations: 'revoke list',
  tokens: 'token list',
  plans: 'plan list',
  fleet: 'fleet status',
  trust: 'fleet status',
});

/** " (fluxgate cluster list)"; empty where no command lists a path. */
export function listCommand(path: string): string {
  const list = LISTS[path.split('/')[1] ?? ''];
  return list === undefined ? '' : ` (fluxgate ${list})`;
}

/** The hint with commands about what was asked for; none where there is none. */
function hintFor(
  hint: string,
  unwritten: string,
  { method = 'GET', path, query = {}, body }: ApiRequest,
): string {
  const [, first = '', second] = path.split('/');
  const list = LISTS[first];
  const id =
    second === undefined ? (body as { readonly id?: unknown } | undefined)?.id : decodeURIComponent(second);
  const command = (verb: string): string | undefined =>
    typeof id === 'string' && OBJECTS.includes(first)
      ? list?.replace(/list$/, `${verb} ${shellWord(shown(id))}`)
      : list;
  const writes = method !== 'GET' && query['dry_run'] !== true && !ASKS.includes(first);
  const said: Readonly<Record<string, string | undefined>> = {
    list,
    get: command('get'),
    unassign:
      first === 'clusters' || list === undefined ? undefined : `${command('unassign')} --cluster NAME`,
  };
  return hint
    .replace('{unwritten}', writes ? `; ${unwritten}` : '')
    .replace('{detached}', method === 'DELETE' ? ', or delete it with --detach' : '')
    .replace(/\{(\w+)\}/g, (_all, name: string) => {
      const known = said[name];
      return known === undefined ? '' : ` (fluxgate ${known})`;
    });
}

/** Whatever stands there: a stranger's server may answer anything. */
export function errorBody({ body }: ApiAnswer): ErrorBody {
  const said = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const details = (Array.isArray(said['details']) ? said['details'] : []) as Record<string, unknown>[];
  return {
    error: text(said['error']) ?? 'no error code',
    message: text(said['message']) ?? 'no message: is this a gateway of Fluxgate?',
    ...(typeof said['request_id'] === 'string' ? { request_id: shown(said['request_id']) } : {}),
    details: details
      .filter((detail) => typeof detail === 'object' && detail !== null)
      .map(({ field, problem }) => ({ field: text(field) ?? '', problem: text(problem) ?? '' })),
    ...(said['plan'] === undefined ? {} : { plan: said['plan'] }),
  };
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? shown(value) : undefined);

/** A pointer and its escapes are for programs: whoever typed flags looks for one of them, and whoever imports for a file. */
function shownField(field: string, { path, flags = {} }: ApiRequest): string {
  if (Object.hasOwn(flags, field)) return flags[field] ?? '';
  if (!field.startsWith('/')) return field;
  const parts = pointerParts(field);
  const [list, file, ...inside] = parts;
  if (path !== '/import' || list !== 'files' || file === undefined) return `/${shownPath(parts)}`;
  return inside.join('') === '' ? file : `${file}: /${shownPath(inside)}`;
}

/** What the gateway said, its details, and what to do: for standard error. `meant`: the name that may have been. `unwritten`: of a write that was refused. */
export function refusalOf(
  answer: ApiAnswer,
  meant?: string,
  unwritten = 'nothing was written',
): CommandFailed {
  const { error, message, request_id, details } = errorBody(answer);
  const next =
    meant === undefined
      ? (NEXT_OF_CODE[error] ??
        (message.startsWith('There is no such route') ? NO_ROUTE : NEXT[answer.status]))
      : `is ${shown(meant)} meant?{list}`;
  const lines = [
    `${error} (HTTP ${answer.status}): ${message}`,
    ...details.map(({ field, problem }) => `  ${shownField(field, answer.asked)}: ${problem}`),
  ];
  // Part of a command that may be copied.
  const id = /^[0-9a-f]{1,64}$/.test(request_id ?? '') ? (request_id ?? '') : 'ID';
  if (next !== undefined) lines.push(`→ ${hintFor(next.replace(/\bID\b/, id), unwritten, answer.asked)}`);
  if (request_id !== undefined) lines.push(`  request_id ${request_id}`);
  const invalid = answer.status >= 400 && answer.status < 500 ? EXIT.invalid : EXIT.failed;
  return new CommandFailed(lines.join('\n'), undefined, EXIT_OF[answer.status] ?? invalid);
}
