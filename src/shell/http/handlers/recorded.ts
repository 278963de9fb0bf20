import { createHash } from 'node:crypto';
import { FluxgateError } from '../../../core/errors.ts';
import { ApprovalRequired } from '../../../core/fleet/approval.ts';
import { checkChangeSet, realChanges } from '../../../core/fleet/change-set.ts';
import { commitChanges } from '../../../core/fleet/commit.ts';
import type {
  ChangeOrigin,
  RecordedTransactor,
  RememberedAnswer,
  RevisionAction,
} from '../../../core/fleet/history.ts';
import type { Pause } from '../../../core/fleet/pause.ts';
import type { ObjectChange } from '../../../core/fleet/plan.ts';
import type { TellProgress } from '../../../core/fleet/progress.ts';
import { describePrincipal } from '../../../core/identity/principal.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Answer } from '../respond.ts';
import type { Call, HandlerParts } from './handlers.ts';
import { keepForApproval } from './review.ts';
import { planAnswer, writeTerms } from './write-terms.ts';

/** Every write of an operator: in one transaction, as a revision with its author and reason, and once per Idempotency-Key. */

const IDEMPOTENCY_KEY = /^[!-+\--~]{1,128}$/;
/** Anything but controls and line separators: it stands in logs and lists. */
const ONE_LINE = /^[^\p{Cc}\u2028\u2029]+$/u;

export async function recordedWrite(
  call: Call,
  parts: HandlerParts,
  action: RevisionAction,
  work: (transactor: RecordedTransactor) => Promise<Answer>,
): Promise<Answer> {
  const origin = originOf(call, parts, action);
  const admitted = whileAdmitted(call, work);
  const key = call.method === 'POST' ? idempotencyKey(call) : undefined;
  if (key === undefined || isDryRun(call)) return transact(call, parts, admitted, origin);
  const name = { principal: senderOf(call), key };
  const fingerprint = fingerprintOf(call);
  const once = async (transactor: RecordedTransactor): Promise<Answer> => {
    const earlier = await transactor.recallAnswer(name, origin.atMs);
    if (earlier !== undefined) return replay(earlier, fingerprint);
    const answer = await admitted(transactor);
    const { status, headers = {}, body } = answer;
    await transactor.rememberAnswer(name, { fingerprint, status, headers, body }, origin.atMs);
    return answer;
  };
  return transact(call, parts, once, origin);
}

/** Where a second person is asked for, what they are to look at is kept. */
async function transact(
  call: Call,
  parts: HandlerParts,
  work: (transactor: RecordedTransactor) => Promise<Answer>,
  origin: ChangeOrigin,
): Promise<Answer> {
  try {
    return await parts.store.transact(work, origin);
  } catch (error) {
    if (error instanceof ApprovalRequired) await keepForApproval(call, parts, error);
    throw error;
  }
}

/**
 * A write may wait half a minute for its turn, and take as long: whoever has lost the right by the time of the commit changes
 * nothing, and does not take up the store's time before.
 */
function whileAdmitted(
  { identifyAgain }: Call,
  work: (transactor: RecordedTransactor) => Promise<Answer>,
): (transactor: RecordedTransactor) => Promise<Answer> {
  return async (transactor) => {
    await identifyAgain();
    const answer = await work(transactor);
    await identifyAgain();
    return answer;
  };
}

/** A set of changes through checks, plan and guard; the answer is the plan, and whether it was carried out. */
export function recordedChangeSet(
  call: Call,
  parts: HandlerParts,
  action: RevisionAction,
  tell: TellProgress,
  wanted: (transactor: RecordedTransactor, pause: Pause) => Promise<readonly ObjectChange[]>,
): Promise<Answer> {
  const terms = { ...writeTerms(call, parts), tell };
  tell('waiting', 0);
  return recordedWrite(call, parts, action, async (transactor) => {
    const changes = await realChanges(await wanted(transactor, terms.pause), terms.pause);
    // A revert may take back a change of state; nothing else may change one but the state's own route.
    await checkChangeSet(changes, transactor, {
      pause: terms.pause,
      keepStates: action !== 'revert',
      tell,
    });
    const { plan, carriedOut } = await commitChanges(changes, transactor, terms);
    const answer = planAnswer(call, plan);
    const revision = carriedOut && changes.length > 0 ? { revision: await transactor.nextRevision() } : {};
    return { ...answer, body: { carried_out: carriedOut, ...revision, plan: answer.body } };
  });
}

/** Whose the names are that come with a request. A token's name may be given again, to a token with other rights. */
export function senderOf({ principal, audited }: Pick<Call, 'principal' | 'audited'>): string {
  const author = describePrincipal(principal);
  const { token_id: tokenId } = audited.actor;
  return tokenId === undefined ? author : `${author}#${tokenId}`;
}

function originOf(call: Call, parts: HandlerParts, action: RevisionAction): ChangeOrigin {
  const header = call.header('change-reason');
  // Node reads header octets as Latin-1; people send UTF-8.
  const reason = header === undefined ? undefined : utf8(header).trim();
  if (reason !== undefined && (!ONE_LINE.test(reason) || reason.length > LIMITS.changeReasonCharactersMax)) {
    throw new FluxgateError(
      'malformed_request',
      `The header Change-Reason must be one line of 1 to ${LIMITS.changeReasonCharactersMax} characters, in UTF-8.`,
    );
  }
  const { requestId, audited } = call;
  return {
    author: describePrincipal(call.principal),
    action,
    atMs: parts.clock.now(),
    requestId,
    reason,
    request: audited,
    committed: call.noteRevision,
  };
}

function utf8(header: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return '';
  }
}

function idempotencyKey(call: Call): string | undefined {
  const key = call.header('idempotency-key');
  if (key === undefined || IDEMPOTENCY_KEY.test(key)) return key;
  throw new FluxgateError(
    'malformed_request',
    'The header Idempotency-Key must be one name of 1 to 128 visible ASCII characters, without commas and spaces.',
  );
}

const isDryRun = (call: Call): boolean => call.parameters.query['dry_run'] === true;

/** What makes two requests the same: operation, parameters, body. A confirmation may be added on the second try. */
function fingerprintOf({ operationId, parameters, body }: Call): string {
  const { path, query } = parameters;
  return createHash('sha256')
    .update(JSON.stringify([operationId, path, query, body]))
    .digest('base64url');
}

function replay(earlier: RememberedAnswer, fingerprint: string): Answer {
  if (earlier.fingerprint !== fingerprint) {
    throw new FluxgateError(
      'conflict',
      'This Idempotency-Key was used for another request. Nothing was changed. Choose a new key for a new request.',
    );
  }
  const { status, headers, body } = earlier;
  return { status, body: body as object, headers: { ...headers, 'Idempotency-Replayed': 'true' } };
}
