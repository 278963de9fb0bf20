import { isDeepStrictEqual } from 'node:util';
import { WRITE_LIMITS } from '../limits-writes.ts';
import type { ObjectChange } from './plan.ts';
import type { PlannedChanges } from './plan-changes.ts';
import { isCatalogueKind } from './registry.ts';

/**
 * The plan that was made last, for the write that is sent with its hash soon after, and for its next page. It is the plan of the same
 * changes as long as no revision came: whatever a plan of the catalogue is made of (documents, what is frozen) changes with one only.
 */
export interface PlanMemory {
  /** `revision`: the newest one, read in the very transaction that is to be planned. */
  recall(changes: readonly ObjectChange[], revision: number): PlannedChanges | undefined;
  /** Of changes that no rule refuses. */
  keep(changes: readonly ObjectChange[], revision: number, planned: PlannedChanges): void;
}

/**
 * `forgetLater`: called for each plan that is kept, with what forgets it; what it gives back calls that off, and is called for a plan
 * that another takes the place of. Each is some MiB, which a timer that nobody stops would hold for all of its time.
 */
export function createPlanMemory(forgetLater: (forget: () => void, ms: number) => () => void): PlanMemory {
  let callOff = (): void => {};
  let last:
    | {
        readonly changes: readonly ObjectChange[];
        readonly revision: number;
        readonly planned: PlannedChanges;
      }
    | undefined;
  return {
    recall(changes, revision) {
      if (last?.revision !== revision || last.changes.length !== changes.length) return undefined;
      return isDeepStrictEqual(last.changes, changes) ? last.planned : undefined;
    },
    keep(changes, revision, planned) {
      callOff();
      last = dependsOnRevisionsOnly(changes, planned) ? { changes, revision, planned } : undefined;
      if (last === undefined) return;
      callOff = forgetLater(() => {
        last = undefined;
      }, WRITE_LIMITS.planRememberedMs);
    },
  };
}

/** Whether a cluster's name was served before (the ratchet) becomes known without a revision: plans of clusters go by that. */
function dependsOnRevisionsOnly(changes: readonly ObjectChange[], { plan, pins }: PlannedChanges): boolean {
  return (
    changes.every(({ kind }) => isCatalogueKind(kind)) &&
    pins.size === 0 &&
    plan.clusters.length <= WRITE_LIMITS.planRememberedClustersMax
  );
}
