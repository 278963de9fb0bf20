import type { RequestedPlan } from '../../src/core/fleet/approval.ts';
import type { PlanPage } from '../../src/core/fleet/plan-summary.ts';

const PAGE: PlanPage = {
  plan_hash: '',
  needs_confirmation: true,
  reasons: [],
  clusters_affected: 1,
  environments: { dev: 0, qa: 0, uat: 0, prod: 1 },
  inputs: { added: 0, removed: 2, disabled: 0, enabled: 0, changed: 0 },
  objects_changed: 1,
  warnings_total: 0,
  objects: [],
  clusters: [],
  warnings: [],
};

/** Number n, asked for at the moment n and kept for a second. */
export const samplePlan = (n: number, fields: Partial<RequestedPlan> = {}): RequestedPlan => {
  const hash = String(n).padStart(64, '0');
  return {
    hash,
    facts: { environments: ['prod'], takesAway: true },
    page: { ...PAGE, plan_hash: hash },
    requestedBy: 'operator:sam@example.com',
    responsible: ['operator:sam@example.com'],
    requestedMs: n,
    expiresMs: n + 1_000,
    ...fields,
  };
};
