import type { Operation } from '../../../core/policy/operations.ts';
import type { Handler, HandlerParts } from './handlers.ts';

/** What anybody may ask: nothing of the fleet. */
export function publicHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  switch (operation.operationId) {
    case 'getHealth':
      return async () => parts.health.live();
    case 'getReady':
      return () => parts.health.ready();
    case 'getOpenapi':
      return async () => ({ status: 200, body: parts.documentText, contentType: 'application/yaml' });
    default:
      return undefined;
  }
}
