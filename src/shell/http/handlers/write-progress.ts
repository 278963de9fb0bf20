import { FluxgateError } from '../../../core/errors.ts';
import type { TellProgress } from '../../../core/fleet/progress.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import type { Call, Handler, HandlerParts } from './handlers.ts';
import { senderOf } from './recorded.ts';

/** How far a write has come, for whoever sent it and named it. */
export function writeProgressHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  if (operation.operationId !== 'getWriteProgress') return undefined;
  return async (call) => {
    const progress = parts.progress.of(senderOf(call), call.parameters.path['progress_id'] ?? '');
    if (progress !== undefined) return { status: 200, body: { ...progress } };
    throw new FluxgateError(
      'not_found',
      'No write of yours goes on under this Progress-Id: it has not begun, it is over, or another process carries it out.',
    );
  };
}

/** As openapi.yaml has it for the path: too long to be guessed, short enough to be kept. */
const PROGRESS_ID = /^[A-Za-z0-9_-]{22,64}$/;

/** The work with somebody to tell how far it has come, where the request names itself. */
export function tellingProgress<T>(
  call: Call,
  { progress }: Pick<HandlerParts, 'progress'>,
  work: (tell: TellProgress) => Promise<T>,
): Promise<T> {
  const id = call.header('progress-id');
  if (id !== undefined && !PROGRESS_ID.test(id)) {
    throw new FluxgateError(
      'malformed_request',
      'The header Progress-Id must be a random name of 22 to 64 letters, digits, - and _: a UUID does.',
    );
  }
  return progress.during(senderOf(call), id, work);
}
