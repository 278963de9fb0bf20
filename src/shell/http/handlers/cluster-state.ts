import type { ClusterState } from '../../../core/fleet/objects.ts';
import { changePrecondition } from '../../../core/fleet/preconditions.ts';
import { setClusterState } from '../../../core/fleet/write.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import type { Call, Handler, HandlerParts } from './handlers.ts';
import { recordedWrite } from './recorded.ts';
import { writeTerms, writtenAnswer } from './write-terms.ts';

/** The body has passed its schema. */
interface StateChange {
  readonly state: ClusterState;
  readonly reason: string;
}

export function clusterStateHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  if (operation.operationId !== 'setClusterState') return undefined;
  return async (call) => {
    const { state, reason } = call.body as StateChange;
    const conditions = { ifMatch: call.header('if-match'), ifNoneMatch: call.header('if-none-match') };
    const precondition = changePrecondition(conditions, parts.requireIfMatch);
    const terms = { ...writeTerms(call, parts), precondition };
    const id = call.parameters.path['id'] ?? '';
    return recordedWrite(withReason(call, reason), parts, 'write', async (transactor) =>
      writtenAnswer(call, 200, await setClusterState(id, state, transactor, terms)),
    );
  };
}

/** The revision says why; a state is never changed without a reason. */
const withReason = (call: Call, reason: string): Call => ({
  ...call,
  header: (name) => (name === 'change-reason' ? (call.header(name) ?? reason) : call.header(name)),
});
