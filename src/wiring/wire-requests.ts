import type { Config } from '../core/config.ts';
import type { Contract } from '../shell/contract.ts';
import { answerMalformed } from '../shell/http/answer-malformed.ts';
import { auditRefusals } from '../shell/http/audit-refusals.ts';
import { countRequests } from '../shell/http/count-request.ts';
import { createHandlers } from '../shell/http/handlers/handlers.ts';
import { createPipeline, inTurn, type Pipeline } from '../shell/http/pipeline.ts';
import { rememberRequests } from '../shell/http/remember.ts';
import { newRequestId } from '../shell/http/request-id.ts';
import { createRequestLog } from '../shell/http/request-log.ts';
import { readAhead } from '../shell/read-ahead.ts';
import { noteRefusedPolls } from '../shell/refused-polls.ts';
import type { Loaded } from '../shell/reload.ts';
import { createListener, type Listener } from '../shell/tls/listener.ts';
import { createWriteProgress } from '../shell/write-progress.ts';
import type { State } from './open-state.ts';

export interface Requests {
  readonly pipeline: Pipeline;
  /** Not listening yet. */
  readonly listener: Listener;
  /** Loads what a start left for later; resolves once it is there. */
  loadHandlers(): Promise<void>;
  /** Once it listens: what is asked for first is looked at before somebody asks. */
  readAhead(): void;
}

/** From a connection to its answer, its line in the log, and what is remembered of it. */
export async function wireRequests(
  config: Config,
  contract: Contract,
  context: Loaded['context'],
  state: State,
  isDraining: () => boolean,
): Promise<Requests> {
  const { router, operations } = contract;
  const handlerParts = handlerPartsOf(config, contract, state);
  const handlers = await createHandlers(operations, handlerParts, contract);
  const pipeline = await pipelineOf(config, { router, handlers, state, isDraining });
  const { edge, trust } = state;
  const listener = createListener(context, config, edge.gate, {
    ...edge.events,
    request: pipeline.answer,
    malformed: (error, socket, answerable, source) =>
      answerMalformed(edge.lines, trust, newRequestId(), { error, socket, answerable, source }),
  });
  return {
    pipeline,
    listener,
    loadHandlers: () => handlers.load(),
    readAhead: () => readAhead({ ...handlerParts, config, router, handlers, fleet: state.store.reader }),
  };
}

function handlerPartsOf(config: Config, { schemas, router, documentText }: Contract, state: State) {
  const { store, trust, sightings, ratchet, siblings } = state;
  return {
    ...state,
    schemas,
    progress: createWriteProgress(siblings),
    explain: { config, router, trust, pins: sightings.pins, ratchet, fleet: store.reader },
    documentText,
    pruneGuard: config.pruneGuard,
    requireIfMatch: config.requireIfMatch,
  };
}

interface WiredHere {
  readonly router: Contract['router'];
  readonly handlers: Awaited<ReturnType<typeof createHandlers>>;
  readonly state: State;
  readonly isDraining: () => boolean;
}

async function pipelineOf(config: Config, { router, handlers, state, isDraining }: WiredHere) {
  const { clock, log, metrics, trust, sightings, edge } = state;
  return createPipeline({
    config,
    router,
    handlers,
    page: state.page,
    trust,
    pins: sightings.pins,
    ratchet: state.ratchet,
    fleet: state.store.reader,
    tokens: state.tokens,
    oidc:
      config.oidc &&
      (await import('../shell/oidc.ts')).createOidc(config.oidc, {
        clock,
        localKeys: () => trust.snapshot.oidcKeys,
      }),
    throttle: edge.throttle,
    siblings: state.siblings,
    clock,
    newRequestId,
    isDraining,
    unanswerable: (record, error) =>
      log.error(
        { request_id: record.requestId, source: record.source, err: error },
        'could not answer at all',
      ),
    record: inTurn([
      createRequestLog(log, edge.lines, clock, state.revocations),
      countRequests(metrics, clock),
      rememberRequests(state, clock),
      noteRefusedPolls(state.refusals, state.liveness),
      sightings.note,
      auditRefusals(state.audit),
    ]),
  });
}
