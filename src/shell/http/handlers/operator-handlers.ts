import type { Operation } from '../../../core/policy/operations.ts';
import type { Handler, HandlerParts } from './handlers.ts';

type Family = (operation: Operation, parts: HandlerParts) => Handler | undefined;

/** In the order in which they are asked whether an operation is theirs. */
const FAMILIES: readonly (() => Promise<Family>)[] = Object.freeze([
  async () => (await import('../ui/handlers.ts')).pageHandler,
  async () => (await import('./history.ts')).historyHandler,
  async () => (await import('./fleet-status.ts')).fleetStatusHandler,
  async () => (await import('./fleet-sets.ts')).fleetSetHandler,
  async () => (await import('./plans.ts')).plansHandler,
  async () => (await import('./cluster-state.ts')).clusterStateHandler,
  async () => (await import('./fleet.ts')).fleetHandler,
  async () => (await import('./revocations.ts')).revocationsHandler,
  async () => (await import('./tokens.ts')).tokensHandler,
  async () => (await import('./refusals.ts')).refusalsHandler,
  async () => (await import('./audit.ts')).auditHandler,
  async () => (await import('./explain.ts')).explainHandler,
  async () => (await import('./write-progress.ts')).writeProgressHandler,
  async () => (await import('./trust.ts')).trustHandler,
]);

/** Packages that these handlers bring along, one by one: the largest pieces of what is loaded. */
const PACKAGES: readonly (() => Promise<unknown>)[] = Object.freeze([
  () => import('../../../core/fleet/secrets.ts'),
  () => import('../../../core/fleet/directory.ts'),
]);

/**
 * The code of the operators' routes, a hundred files of which no poll needs any. `rest` is waited for between one piece and the next.
 */
export async function loadOperatorHandlers(
  rest: () => Promise<unknown>,
): Promise<(operation: Operation, parts: HandlerParts) => Handler | undefined> {
  for (const load of PACKAGES) {
    await load();
    await rest();
  }
  const families: Family[] = [];
  for (const load of FAMILIES) {
    families.push(await load());
    await rest();
  }
  return (operation, parts) => {
    for (const family of families) {
      const handler = family(operation, parts);
      if (handler !== undefined) return handler;
    }
    return undefined;
  };
}
