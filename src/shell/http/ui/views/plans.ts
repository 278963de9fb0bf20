import { grouped } from '../grouped.ts';
import { type Html, html } from '../html.ts';
import { badge, empty, facts, hash, many, notice, type State, section, table, when } from '../pieces.ts';
import {
  changeSummary,
  changeWord,
  clusterChange,
  type FieldChange,
  fieldChanges,
  type PlannedCluster,
} from './changes.ts';

/** As GET /plans answers. */
export interface PlanAnswer {
  readonly plan_hash: string;
  readonly environments: readonly string[];
  readonly takes_away: boolean;
  readonly summary: PlanSummary;
  readonly requested_by: string;
  readonly requested_at: string;
  readonly expires_at: string;
  readonly approved_by?: string;
  readonly approved_at?: string;
}

interface PlanSummary {
  readonly clusters_affected: number;
  readonly objects_changed: number;
  readonly inputs: Readonly<Record<string, number>>;
  readonly reasons: readonly { readonly rule: string; readonly clusters: number }[];
}

export interface PlanDetails extends PlanAnswer {
  readonly plan: PlanSummary & {
    readonly objects: readonly {
      readonly kind: string;
      readonly id: string;
      readonly change: string;
      readonly fields: readonly FieldChange[];
    }[];
    readonly clusters: readonly PlannedCluster[];
    readonly warnings: readonly {
      readonly cluster: string;
      readonly route: string;
      readonly measure: string;
      readonly value: number;
      readonly limit: number;
    }[];
  };
}

export interface PlanView {
  readonly plan: PlanDetails;
  /** Of the form that approves it; undefined: whoever looks may not. */
  readonly formToken: string | undefined;
  /** Why whoever looks may not, though they may approve others. */
  readonly because: string | undefined;
  readonly justApproved: boolean;
  readonly nowMs: number;
}

const stateOfPlan = ({ approved_by: by }: PlanAnswer): State =>
  by === undefined ? { icon: 'behind', word: 'waits' } : { icon: 'current', word: 'approved' };

const taking = ({ takes_away: takes }: PlanAnswer): Html =>
  takes ? html`<strong class="bad">yes</strong>` : html`no`;

export function plansView(plans: readonly PlanAnswer[], nowMs: number): Html {
  const list =
    plans.length === 0
      ? empty(
          'No plan waits.',
          html`Where the policies want a second person, a write is answered 409 <code>approval_required</code> and its plan waits here for a day.`,
        )
      : table(
          'Newest first',
          [
            { name: 'Plan' },
            { name: 'State', kind: 'brief' },
            { name: 'Asked by' },
            { name: 'Asked', kind: 'brief' },
            { name: 'Ends', kind: 'brief' },
            { name: 'Clusters' },
            { name: 'Environments' },
            { name: 'Takes away' },
          ],
          plans.map((plan) => [
            html`<a href="/ui/plans/${plan.plan_hash}">${hash(plan.plan_hash)}</a>`,
            badge(stateOfPlan(plan)),
            plan.requested_by,
            when(plan.requested_at, nowMs),
            when(plan.expires_at, nowMs),
            grouped(plan.summary.clusters_affected),
            plan.environments.join(', '),
            taking(plan),
          ]),
        );
  return html`<h1>Plans</h1><div data-region="plans">${list}</div>`;
}

export function planView({ plan: kept, formToken, because, justApproved, nowMs }: PlanView): Html {
  const { plan } = kept;
  const approved = kept.approved_by;
  return html`<p class="crumbs"><a href="/ui/plans">Plans</a></p>
<div class="title"><h1>Plan ${hash(kept.plan_hash)}</h1>${badge(stateOfPlan(kept))}</div>
${justApproved ? notice('Approved. The write is carried out when whoever asked for it sends it again, if its plan is still exactly this one.', 'good') : undefined}
${facts([
  ['Asked by', kept.requested_by],
  ['Asked', when(kept.requested_at, nowMs)],
  ['Ends', when(kept.expires_at, nowMs)],
  [
    'Approved by',
    approved === undefined
      ? 'nobody yet'
      : html`${approved}, ${kept.approved_at === undefined ? undefined : when(kept.approved_at, nowMs)}`,
  ],
  ['Environments', kept.environments.join(', ')],
  ['Takes something away', taking(kept)],
  ['Clusters affected', grouped(plan.clusters_affected)],
  [
    'Inputs',
    Object.entries(plan.inputs)
      .filter(([, count]) => count > 0)
      .map(([change, count]) => `${grouped(count)} ${change}`)
      .join(', ') || 'none',
  ],
])}
${plan.reasons.length === 0 ? undefined : html`<p class="notice bad">The prune guard asks because of: ${plan.reasons.map(({ rule, clusters }) => `${rule.replaceAll('_', ' ')} (${many(clusters, 'cluster')})`).join(', ')}.</p>`}
${section(
  'objects',
  'What is written',
  plan.objects.length === 0
    ? tooLarge(plan.objects_changed)
    : html`${table(
        many(plan.objects_changed, 'object'),
        [{ name: 'Object' }, { name: 'Change' }, { name: 'Fields', kind: 'wide' }],
        plan.objects.map(({ kind, id, change, fields }) => [
          `${kind.replaceAll('_', ' ')} ${id}`,
          changeWord(change),
          fieldChanges(fields),
        ]),
      )}${rest(plan.objects_changed - plan.objects.length, 'object')}`,
)}
${section(
  'affected',
  'What clusters are served from then on',
  plan.clusters.length === 0
    ? tooLarge(plan.clusters_affected)
    : html`<ol class="history">${plan.clusters.map(
        (cluster) =>
          html`<li><details><summary><span class="rev">${cluster.cluster_dns}</span> <span class="what">${changeSummary(cluster)}</span> <span class="sub">${cluster.environment}</span></summary>${clusterChange(cluster)}</details></li>`,
      )}</ol>${rest(plan.clusters_affected - plan.clusters.length, 'cluster')}`,
)}
${approval(kept, formToken, because)}`;
}

const rest = (left: number, what: string): Html | undefined =>
  left <= 0
    ? undefined
    : html`<p class="notice bad">And ${many(left, what)} more, not shown here: a dry run of the write shows all.</p>`;

const tooLarge = (count: number): Html =>
  count === 0
    ? html`<p class="note">Nothing.</p>`
    : html`<p class="notice bad">${grouped(count)}, too many to be kept with the plan: a dry run of the write shows them.</p>`;

function approval(
  plan: PlanDetails,
  formToken: string | undefined,
  because: string | undefined,
): Html | undefined {
  if (plan.approved_by !== undefined) return undefined;
  if (formToken === undefined) {
    return section(
      'approve',
      'Approve',
      html`<p class="note">${because ?? 'Your role does not approve plans.'}</p>`,
    );
  }
  return section(
    'approve',
    'Approve',
    html`<form method="post" action="/ui/plans/${plan.plan_hash}/approve"><input type="hidden" name="form_token" value="${formToken}"><p>By approving you say that you have read all of it and that it may happen.</p><button>Approve this plan</button></form>`,
  );
}
