import { type ErrorDetail, FluxgateError } from '../core/errors.ts';
import type { Answer } from './http/respond.ts';
import type { Store } from './store/store.ts';

/** What load balancers and probes ask; the same answers on both listeners. */
export interface Health {
  /** Turns /ready to 503 for good: this process is leaving. */
  drain(): void;
  /** The last reload was refused: told in /ready as a detail, for the last good state still serves. */
  reloadFailed(): void;
  /** Whether the one before was refused. */
  reloadSucceeded(): boolean;
  live(): Answer;
  /** Throws `unavailable` with the reasons as its details. */
  ready(): Promise<Answer>;
}

const OK: Answer = Object.freeze({ status: 200, body: Object.freeze({ status: 'ok' }) });

/** Which file is wrong, and how, is for the log: anybody may ask for /ready. */
const REFUSED_RELOAD: ErrorDetail = Object.freeze({
  field: 'reload',
  problem: 'was refused: the last good state serves, and the log says what is wrong',
});
const OK_WITH_REFUSED_RELOAD: Answer = Object.freeze({
  status: 200,
  body: { status: 'ok', details: [REFUSED_RELOAD] },
});

/** `isCrlMissing`: whether a CRL that policy requires is stale now. */
export function createHealth(store: Store, isCrlMissing: () => boolean): Health {
  let draining = false;
  let reloadRefused = false;
  return {
    reloadFailed() {
      reloadRefused = true;
    },
    reloadSucceeded() {
      const wasRefused = reloadRefused;
      reloadRefused = false;
      return wasRefused;
    },
    drain() {
      draining = true;
    },
    live: () => OK,
    async ready() {
      const reasons: ErrorDetail[] = [];
      if (draining) reasons.push({ field: 'process', problem: 'is shutting down' });
      try {
        await store.check();
      } catch {
        reasons.push({ field: 'store', problem: 'cannot be read' });
      }
      if (isCrlMissing()) {
        reasons.push({
          field: 'crl',
          problem: 'one that CRL_POLICY requires is stale or missing; the log says whose',
        });
      }
      if (reasons.length === 0) return reloadRefused ? OK_WITH_REFUSED_RELOAD : OK;
      // Whoever mends what is named above mends nothing while it lasts.
      if (reloadRefused) reasons.push(REFUSED_RELOAD);
      throw new FluxgateError('unavailable', 'Not ready: send no traffic here; see details.', {
        details: reasons,
      });
    },
  };
}
