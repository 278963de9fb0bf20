import { grouped } from '../grouped.ts';
import { flag, type Html, html, type Piece } from '../html.ts';
import { badge, duration, empty, many, notice, pager, queryOf, type State, table, when } from '../pieces.ts';

/** As GET /fleet answers, as far as it is shown. */
export interface FleetAnswer {
  readonly revision: number;
  readonly total: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly anchors: readonly {
    readonly sha256: string;
    readonly subject: string | null;
    readonly clusters: number;
  }[];
  readonly clusters: readonly FleetCluster[];
}

export interface FleetCluster {
  readonly id: string;
  readonly cluster_name: string;
  readonly cluster_dns: string;
  readonly environment: string;
  readonly lifecycle: string;
  readonly state: string;
  readonly last_poll: string | null;
  readonly refusal: {
    readonly at: string;
    readonly reason: string;
    readonly status: number;
    readonly known_by: string;
    readonly route: string;
  } | null;
  readonly routes: readonly FleetRoute[];
  readonly reported: { readonly applied: number; readonly failed: number; readonly last: string | null };
  readonly certificate: {
    readonly sha256: string;
    readonly anchor_sha256: string;
    readonly not_after: string;
  } | null;
}

export interface FleetRoute {
  readonly route: string;
  readonly last_poll: string | null;
  readonly revision: number | null;
  readonly digest: string | null;
  readonly served_since: string | null;
  readonly credential: { readonly method: string; readonly name: string } | null;
  readonly client: string | null;
  readonly interval_seconds: number | null;
  readonly state: string;
}

export interface FleetFilters {
  readonly state: string;
  readonly environment: string;
  readonly label: string;
  readonly q: string;
  readonly anchor: string;
  readonly expires_within: string;
}

export interface FleetView {
  /** undefined: whoever looks may see no part of it. */
  readonly fleet: FleetAnswer | undefined;
  readonly filters: FleetFilters;
  /** Those that whoever looks may choose. */
  readonly environments: readonly string[];
  readonly mayChooseAll: boolean;
  readonly offset: number;
  readonly limit: number;
  readonly nowMs: number;
  /** Plans that wait for a second person; undefined: not for whoever looks. */
  readonly plansWaiting: number | undefined;
}

export const STATES: Readonly<Record<string, State & { readonly meaning: string }>> = {
  refused: { icon: 'refused', word: 'Refused', meaning: 'The latest attempt to poll was refused.' },
  overdue: {
    icon: 'overdue',
    word: 'Overdue',
    meaning: 'No poll for longer than three of its intervals, and 20 minutes at least.',
  },
  behind: { icon: 'behind', word: 'Behind', meaning: 'What it should run has changed since its last poll.' },
  never: { icon: 'never', word: 'Never polled', meaning: 'Registered, and has never polled.' },
  current: { icon: 'current', word: 'Current', meaning: 'Its last poll brought what it should run now.' },
};

export const stateOf = (name: string): State => STATES[name] ?? { icon: 'plain', word: name };

const EXPIRIES = [
  ['', 'Any'],
  ['36h', 'within 36 hours'],
  ['7d', 'within 7 days'],
  ['14d', 'within 14 days'],
  ['30d', 'within 30 days'],
  ['90d', 'within 90 days'],
] as const;

export function fleetView(view: FleetView): Html {
  const { fleet, plansWaiting } = view;
  if (fleet === undefined) {
    return html`<h1>Fleet</h1>${empty('Nothing of the fleet is for you to see.', 'Your certificate or token has no role that reads it, or is for an environment that has no clusters. Ask whoever made it.')}`;
  }
  const waiting =
    plansWaiting === undefined || plansWaiting === 0
      ? undefined
      : notice(
          html`<a href="/ui/plans">${many(plansWaiting, 'plan waits', 'plans wait')} for a second person.</a>`,
        );
  return html`<div class="title"><h1>Fleet</h1><p class="note">Revision ${fleet.revision}</p></div>
${waiting}
${tiles(view, fleet)}
${filterForm(view, fleet)}
<div id="clusters" data-region="clusters">${clusters(view, fleet)}</div>`;
}

const queryFor = (
  { filters }: FleetView,
  change: Partial<FleetFilters> & { readonly offset?: number },
): string => queryOf({ ...filters, ...change });

function tiles(view: FleetView, fleet: FleetAnswer): Html {
  const all = Object.values(fleet.counts).reduce((sum, count) => sum + count, 0);
  const { state } = view.filters;
  return html`<nav aria-label="Clusters by state" data-region="tiles"><ul class="tiles">
<li><a class="tile" href="/ui?${queryFor(view, { state: '' })}"${flag('aria-current="true"', state === '')}><span class="count">${grouped(all)}</span><span class="state">All clusters</span></a></li>
${Object.entries(STATES).map(
  ([name, known]) =>
    html`<li><a class="tile" title="${known.meaning}" href="/ui?${queryFor(view, { state: name })}"${flag('aria-current="true"', state === name)}><span class="count">${grouped(fleet.counts[name] ?? 0)}</span>${badge(known)}</a></li>`,
)}
</ul></nav>`;
}

function filterForm({ filters, environments, mayChooseAll }: FleetView, fleet: FleetAnswer): Html {
  const option = (value: string, name: string, chosen: string): Html =>
    html`<option value="${value}"${flag('selected', value === chosen)}>${name}</option>`;
  const known = fleet.anchors.some(({ sha256 }) => sha256 === filters.anchor);
  return html`<form class="filters" action="/ui" role="search">
<div class="field grow"><label for="q">Name or DNS name</label><input id="q" name="q" type="search" value="${filters.q}" maxlength="253" autocomplete="off" spellcheck="false"></div>
<div class="field"><label for="environment">Environment</label><select id="environment" name="environment">${mayChooseAll ? option('', 'All', filters.environment) : undefined}${environments.map((name) => option(name, name, filters.environment))}</select></div>
<div class="field"><label for="anchor">CA</label><select id="anchor" name="anchor">${option('', 'Any', filters.anchor)}${fleet.anchors.map(({ sha256, subject, clusters: count }) => option(sha256, `${subject ?? `no longer trusted, ${sha256.slice(0, 12)}…`} (${grouped(count)})`, filters.anchor))}${filters.anchor === '' || known ? undefined : option(filters.anchor, `${filters.anchor.slice(0, 12)}… (0)`, filters.anchor)}</select></div>
<div class="field"><label for="expires">Certificate ends</label><select id="expires" name="expires_within">${EXPIRIES.map(([value, name]) => option(value, name, filters.expires_within))}</select></div>
<input type="hidden" name="state" value="${filters.state}">
<input type="hidden" name="label" value="${filters.label}">
<button>Show</button>
</form>`;
}

function clusters(view: FleetView, fleet: FleetAnswer): Html {
  const { offset, limit, nowMs } = view;
  if (fleet.clusters.length === 0) return noClusters(view, fleet);
  const columns = [
    { name: 'Cluster', kind: 'wide' },
    { name: 'State', kind: 'brief' },
    { name: 'Environment' },
    { name: 'Last poll', kind: 'brief' },
    { name: 'Holds', kind: 'brief' },
    { name: 'Certificate', kind: 'brief' },
    { name: 'Reports', kind: 'brief' },
  ] as const;
  const { state } = view.filters;
  const what = state === '' ? '' : ` that are ${stateOf(state).word.toLowerCase()}`;
  return html`${table(
    `${many(fleet.total, 'cluster')}${what}`,
    columns,
    fleet.clusters.map((cluster) => clusterRow(cluster, fleet.revision, nowMs)),
  )}
${pager('', { offset, limit, shown: fleet.clusters.length, total: fleet.total, query: (at) => queryFor(view, { offset: at }) })}`;
}

function clusterRow(cluster: FleetCluster, newest: number, nowMs: number): readonly Piece[] {
  const { refusal, reported, lifecycle } = cluster;
  const why =
    refusal === null || cluster.state !== 'refused'
      ? undefined
      : html`<span class="why" title="${refusal.reason}">${refusal.reason}</span>`;
  return [
    html`<a href="/ui/clusters/${cluster.cluster_dns}">${cluster.cluster_name}</a><span class="sub">${cluster.cluster_dns}</span>${why}`,
    html`${badge(stateOf(cluster.state))}${lifecycle === 'active' ? undefined : html` <span class="tag">${lifecycle}</span>`}`,
    cluster.environment,
    cluster.last_poll === null ? html`<span class="none">never</span>` : when(cluster.last_poll, nowMs),
    holds(cluster.routes, newest),
    certificate(cluster, nowMs),
    reported.applied + reported.failed === 0
      ? html`<span class="none">none</span>`
      : html`${grouped(reported.applied)} applied${reported.failed === 0 ? undefined : html`, <strong class="bad">${grouped(reported.failed)} failed</strong>`}`,
  ];
}

/** The revision of the oldest answer that it holds. */
function holds(routes: readonly FleetRoute[], newest: number): Html {
  const revisions = routes.flatMap(({ revision }) => (revision === null ? [] : [revision]));
  if (revisions.length === 0) return html`<span class="none">nothing</span>`;
  const oldest = Math.min(...revisions);
  return oldest === newest
    ? html`revision ${oldest}`
    : html`revision ${oldest} <span class="sub">of ${newest}</span>`;
}

function certificate({ certificate: last, routes }: FleetCluster, nowMs: number): Html {
  const byToken = routes.some(({ credential }) => credential?.method === 'token');
  if (last === null) return byToken ? html`token` : html`<span class="none">none seen</span>`;
  const leftMs = Date.parse(last.not_after) - nowMs;
  if (leftMs <= 0) return html`<strong class="bad">ended ${duration(leftMs)} ago</strong>`;
  const soon = leftMs < 14 * 86_400_000;
  return html`<time datetime="${last.not_after}" title="${last.not_after}">${soon ? html`<strong class="warn">${duration(leftMs)} left</strong>` : `${duration(leftMs)} left`}</time>`;
}

function noClusters(view: FleetView, fleet: FleetAnswer): Html {
  const isFiltered = Object.values(view.filters).some((value) => value !== '');
  if (isFiltered) {
    return empty('No cluster is like that.', html`Look for less, or <a href="/ui">show the whole fleet</a>.`);
  }
  return fleet.revision === 0
    ? empty(
        'The fleet is empty.',
        html`Register the first cluster with <code>POST /clusters</code>, or start with a <code>SEED_FILE</code>.`,
      )
    : empty(
        'No cluster is served.',
        html`Register one with <code>POST /clusters</code>. Retired clusters are not shown here.`,
      );
}
