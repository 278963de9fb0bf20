import type { AuditRequest } from '../../../core/audit/entry.ts';
import { StartupError } from '../../../core/errors.ts';
import { createPlanMemory, type PlanMemory } from '../../../core/fleet/plan-memory.ts';
import type { FleetSchemas } from '../../../core/fleet/schemas.ts';
import type { Principal } from '../../../core/identity/principal.ts';
import type { PolicyResource } from '../../../core/policy/entities.ts';
import type { Operation, OperationTable } from '../../../core/policy/operations.ts';
import type { Audit } from '../../audit.ts';
import type { Clock } from '../../clock.ts';
import type { FleetStatus } from '../../fleet-status.ts';
import { createFluxAnswers, type FluxAnswers } from '../../flux-answers.ts';
import type { Health } from '../../health.ts';
import type { LiveTrust } from '../../live-trust.ts';
import type { Liveness } from '../../liveness.ts';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../metrics.ts';
import type { Ratchet } from '../../ratchet.ts';
import type { RecentChains } from '../../recent-chains.ts';
import type { Refusals } from '../../refusals.ts';
import type { Revocations } from '../../revocations.ts';
import type { Sightings } from '../../sightings.ts';
import type { Store } from '../../store/store.ts';
import type { Tokens } from '../../tokens.ts';
import type { LoadedEverywhere } from '../../workers/loaded-everywhere.ts';
import type { WriteProgress } from '../../write-progress.ts';
import type { ExplainParts } from '../explain.ts';
import type { Answer } from '../respond.ts';
import type { Parameters } from '../router.ts';
import { pageHandler } from '../ui/handlers.ts';
import type { Page } from '../ui/page.ts';
import type { PageRequest } from '../ui/page-request.ts';
import { auditHandler } from './audit.ts';
import { clusterStateHandler } from './cluster-state.ts';
import { explainHandler } from './explain.ts';
import { fleetHandler } from './fleet.ts';
import { fleetSetHandler } from './fleet-sets.ts';
import { fleetStatusHandler } from './fleet-status.ts';
import { fluxHandler } from './flux.ts';
import { historyHandler } from './history.ts';
import { plansHandler } from './plans.ts';
import { publicHandler } from './public.ts';
import { refusalsHandler } from './refusals.ts';
import { revocationsHandler } from './revocations.ts';
import { tokensHandler } from './tokens.ts';
import { trustHandler } from './trust.ts';
import { writeProgressHandler } from './write-progress.ts';

/** What a handler is given: only what was let in, matched and validated. */
export interface Call {
  readonly principal: Principal;
  readonly method: string;
  readonly operationId: string;
  readonly parameters: Parameters;
  readonly body: unknown;
  readonly requestId: string;
  /** Throws unless whoever asks is still who they were, by the trust of this moment. For what may have waited long. */
  identifyAgain(): Promise<void>;
  /** What the audit trail says of the request. */
  readonly audited: AuditRequest;
  /** A header's value, several lines joined as RFC 9110 §5.3 says; undefined: absent. `name` in lower case. */
  header(name: string): string | undefined;
  /** For what only the body or the store says is asked for. Throws `forbidden` unless the policies permit it, too. */
  authorise(resource: PolicyResource): void;
  /** Of the status page's routes only. */
  readonly page?: PageRequest;
  /** The same as a question; `operationId`: of another operation, part of whose answer this one would give. */
  permits(resource: PolicyResource, operationId?: string): boolean;
}

export type Handler = (call: Call) => Promise<Answer>;

/** All that is made outside. */
export interface GivenParts {
  readonly store: Store;
  readonly schemas: FleetSchemas;
  readonly ratchet: Ratchet;
  readonly health: Health;
  readonly trust: LiveTrust;
  readonly loads: LoadedEverywhere;
  readonly sightings: Omit<Sightings, 'note' | 'close'>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'reports'>;
  readonly revocations: Revocations;
  readonly audit: Audit;
  readonly liveness: Liveness;
  readonly fleetStatus: FleetStatus;
  readonly page: Page;
  readonly tokens: Tokens;
  readonly refusals: Refusals;
  readonly recentChains: RecentChains;
  readonly explain: ExplainParts;
  readonly progress: WriteProgress;
  readonly clock: Clock;
  /** PRUNE_GUARD. */
  readonly pruneGuard: boolean;
  /** REQUIRE_IF_MATCH. */
  readonly requireIfMatch: boolean;
  /** The document as it is on disk, for GET /openapi.yaml. */
  readonly documentText: string;
}

export interface HandlerParts extends GivenParts {
  readonly planMemory: PlanMemory;
}

export type Handlers = ReadonlyMap<string, Handler>;

/**
 * One handler for each operation of the document, made from its audience and kind: a new kind of object needs none of its
 * own. Throws StartupError naming an operation that no code answers.
 */
export function createHandlers(operations: OperationTable, given: GivenParts): Handlers {
  const planMemory = createPlanMemory((forget, ms) => void setTimeout(forget, ms).unref());
  const parts = { ...given, planMemory };
  const answers = createFluxAnswers(parts.store.reader);
  const handlers = new Map<string, Handler>();
  for (const operation of operations.all) {
    const handler = handlerOf(operation, parts, answers);
    if (handler === undefined) {
      throw new StartupError(
        `openapi.yaml: no handler answers ${operation.operationId} (${operation.method} ${operation.path})`,
      );
    }
    handlers.set(operation.operationId, handler);
  }
  return handlers;
}

function handlerOf(operation: Operation, parts: HandlerParts, answers: FluxAnswers): Handler | undefined {
  switch (operation.audience) {
    case 'public':
      return publicHandler(operation, parts);
    case 'flux':
      return fluxHandler(operation, parts, answers);
    case 'operator':
      return operatorHandler(operation, parts);
    default:
      return undefined;
  }
}

function operatorHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  return (
    pageHandler(operation, parts) ??
    historyHandler(operation, parts) ??
    fleetStatusHandler(operation, parts) ??
    fleetSetHandler(operation, parts) ??
    plansHandler(operation, parts) ??
    clusterStateHandler(operation, parts) ??
    fleetHandler(operation, parts) ??
    revocationsHandler(operation, parts) ??
    tokensHandler(operation, parts) ??
    refusalsHandler(operation, parts) ??
    auditHandler(operation, parts) ??
    explainHandler(operation, parts) ??
    writeProgressHandler(operation, parts) ??
    trustHandler(operation, parts)
  );
}
