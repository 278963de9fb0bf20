import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditRequest } from '../../../core/audit/entry.ts';
import { StartupError } from '../../../core/errors.ts';
import type { Cluster } from '../../../core/fleet/objects.ts';
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
import type { Page } from '../ui/page.ts';
import type { PageRequest } from '../ui/page-request.ts';
import { fluxHandler } from './flux.ts';
import { loadOperatorHandlers } from './operator-handlers.ts';
import { publicHandler } from './public.ts';

/** What a handler is given: only what was let in, matched and validated. */
export interface Call {
  readonly principal: Principal;
  readonly method: string;
  readonly operationId: string;
  readonly parameters: Parameters;
  readonly body: unknown;
  readonly requestId: string;
  /** The one that this was decided about, as it was then. */
  readonly cluster: Cluster | undefined;
  /** Throws unless whoever asks is still who they were, by the trust of this moment. For what may have waited long. */
  identifyAgain(): Promise<void>;
  /** What the audit trail says of the request. */
  readonly audited: AuditRequest;
  /** For its line in the log. */
  noteRevision(revision: number): void;
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

export interface Handlers {
  get(operationId: string): Handler | undefined;
  /** Resolves once the operators' handlers are loaded, which they are at the latest when one is asked for. `rest`: waited for in between, unless somebody asks. */
  load(rest?: () => Promise<unknown>): Promise<void>;
}

/**
 * One handler for each operation of the document, made from its audience and kind: a new kind of object needs none of its
 * own. `checked`: that each operation has one was found with this very document before, so the code of the operators' routes need not
 * be loaded yet, which is a good part of all; else it is loaded. Throws StartupError naming an operation that no code answers.
 */
export async function createHandlers(
  operations: OperationTable,
  given: GivenParts,
  { checked }: { readonly checked: boolean },
): Promise<Handlers> {
  const planMemory = createPlanMemory((forget, ms) => {
    const timer = setTimeout(forget, ms).unref();
    return () => clearTimeout(timer);
  });
  const parts = { ...given, planMemory };
  const answers = createFluxAnswers(parts.store.reader);
  const handlers = new Map<string, Handler>();
  const ofOperators = operations.all.filter(({ audience }) => audience === 'operator');
  const keep = (operation: Operation, handler: Handler | undefined): void => {
    if (handler === undefined) {
      throw new StartupError(
        `openapi.yaml: no handler answers ${operation.operationId} (${operation.method} ${operation.path})`,
      );
    }
    handlers.set(operation.operationId, handler);
  };
  const loading = loadOnce(async (rest) => {
    const handlerOf = await loadOperatorHandlers(rest);
    for (const operation of ofOperators) keep(operation, handlerOf(operation, parts));
  });
  for (const operation of operations.all) {
    if (operation.audience === 'operator') {
      handlers.set(operation.operationId, async (call) => {
        await loading.now();
        return (handlers.get(operation.operationId) as Handler)(call);
      });
    } else {
      keep(operation, handlerOf(operation, parts, answers));
    }
  }
  if (!checked) await loading.now();
  return { get: (operationId) => handlers.get(operationId), load: loading.inTime };
}

/** Once for all who ask; again after it has failed. */
function loadOnce(load: (rest: () => Promise<unknown>) => Promise<void>): {
  now(): Promise<void>;
  inTime(rest?: () => Promise<unknown>): Promise<void>;
} {
  let running: Promise<void> | undefined;
  let hurried = false;
  const inTime = (rest: () => Promise<unknown> = nextTurn): Promise<void> => {
    running ??= load(() => (hurried ? nextTurn() : rest())).catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
  return {
    inTime,
    now() {
      hurried = true;
      return inTime();
    },
  };
}

function handlerOf(operation: Operation, parts: HandlerParts, answers: FluxAnswers): Handler | undefined {
  switch (operation.audience) {
    case 'public':
      return publicHandler(operation, parts);
    case 'flux':
      return fluxHandler(operation, parts, answers);
    default:
      return undefined;
  }
}
