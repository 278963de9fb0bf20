import { PAGE_LIMITS } from '../../../../core/page-limits.ts';
import { grouped } from '../grouped.ts';
import { type Html, html, type Piece } from '../html.ts';
import { badge, duration, empty, facts, hash, many, moment, section, table, when } from '../pieces.ts';
import { changeSummary, clusterChange, valueText } from './changes.ts';
import type {
  ClusterAnswer,
  HistoryAnswer,
  Input,
  PresentedAnswer,
  RefusalAnswer,
  RenderedAnswer,
  SightingAnswer,
} from './cluster-answers.ts';
import { type FleetRoute, STATES, stateOf } from './fleet.ts';

/** undefined: not for whoever looks; `nothing`: there is nothing yet. */
export interface ClusterView {
  readonly cluster: ClusterAnswer;
  readonly rendered: RenderedAnswer | undefined;
  readonly history: HistoryAnswer | undefined;
  readonly presented: PresentedAnswer | 'nothing' | undefined;
  readonly refusals: readonly RefusalAnswer[] | undefined;
  readonly nowMs: number;
}

const NOT_YOURS = empty(
  'Not for your role.',
  'Who is trusted is for the roles security and admin, and for certificates without a role.',
);

export function clusterView(view: ClusterView): Html {
  const { cluster, nowMs } = view;
  const state = stateOf(cluster.state);
  return html`<p class="crumbs"><a href="/ui">Fleet</a></p>
<div class="title"><h1>${cluster.cluster_name}</h1>${badge(state)}</div>
<div data-region="status">
${facts([
  ['DNS name', html`<code>${cluster.cluster_dns}</code>`],
  ['Id', html`<code>${cluster.id}</code>`],
  ['Environment', cluster.environment],
  ['Lifecycle', cluster.lifecycle],
  ['Last poll', cluster.last_poll === null ? 'never' : when(cluster.last_poll, nowMs)],
  ['State', STATES[cluster.state]?.meaning ?? cluster.state],
])}
${cluster.refusal === null ? undefined : html`<p class="notice bad"><strong>${cluster.refusal.status}</strong> on ${cluster.refusal.route}, ${when(cluster.refusal.at, nowMs)}: ${cluster.refusal.reason}${cluster.refusal.known_by === 'proven' ? undefined : html` <span class="sub">by what a stranger may have said as well</span>`}</p>`}
</div>
<div data-region="polls">${section('polls', 'Polls', polls(cluster, nowMs))}</div>
<div data-region="reports">${section('reports', 'What it reported', reports(cluster, nowMs))}</div>
<div data-region="rendered">${section('now', 'What it gets now', view.rendered === undefined ? NOT_YOURS : rendered(view.rendered), view.rendered === undefined ? undefined : `As of revision ${view.rendered.revision}.`)}</div>
<div data-region="presented">${section('presented', 'What it last presented', presented(view.presented, nowMs))}</div>
<div data-region="refusals">${section('refusals', 'Refusals, and why', refusals(view.refusals, nowMs), 'What this gateway remembers since it started. Proven: the cluster’s own certificate came with it. Claimed and requested: anybody could have said so.')}</div>
<div data-region="history">${section('history', 'History', history(cluster, view.history, nowMs))}</div>`;
}

function polls({ routes }: ClusterAnswer, nowMs: number): Html {
  if (routes.length === 0) {
    return empty(
      'It has never polled.',
      html`Apply its <code>ResourceSetInputProvider</code>s with a certificate of its name, and look at what Flux says of them. Refusals stand below.`,
    );
  }
  return table(
    `${many(routes.length, 'route')}`,
    [
      { name: 'Route' },
      { name: 'State', kind: 'brief' },
      { name: 'Last poll', kind: 'brief' },
      { name: 'Every' },
      { name: 'Holds' },
      { name: 'By' },
      { name: 'Client', kind: 'wide' },
    ],
    routes.map((route) => [
      route.route,
      badge(stateOf(route.state)),
      route.last_poll === null ? html`<span class="none">never</span>` : when(route.last_poll, nowMs),
      route.interval_seconds === null
        ? html`<span class="none">not known yet</span>`
        : duration(route.interval_seconds * 1_000),
      holds(route, nowMs),
      route.credential === null
        ? html`<span class="none">nothing</span>`
        : html`${route.credential.method} <span class="sub">${route.credential.name}</span>`,
      route.client ?? html`<span class="none">says nothing</span>`,
    ]),
  );
}

function holds({ revision, digest, served_since: since }: FleetRoute, nowMs: number): Piece {
  if (revision === null) return html`<span class="none">nothing</span>`;
  return html`revision ${revision}${digest === null ? undefined : html` <span class="sub">${hash(digest.replace('sha256:', ''))}</span>`}${since === null ? undefined : html` <span class="sub">the same for ${duration(nowMs - Date.parse(since))}</span>`}`;
}

function reports({ components, unreported }: ClusterAnswer, nowMs: number): Html {
  if (components.length === 0) {
    return empty(
      'It has reported nothing.',
      html`Add a notification <code>Provider</code> and an <code>Alert</code> to it that post to <code>/api/v2/flux/clusters/…/events</code>.`,
    );
  }
  const failedFirst = components.toSorted(
    (a, b) => Number(b.result === 'failed') - Number(a.result === 'failed'),
  );
  const shown = failedFirst.slice(0, PAGE_LIMITS.rows);
  return html`${table(
    `${many(components.length, 'component')}, by its own word`,
    [
      { name: 'Component' },
      { name: 'Result', kind: 'brief' },
      { name: 'Revision' },
      { name: 'When', kind: 'brief' },
      { name: 'What it says', kind: 'wide' },
    ],
    shown.map(({ component, result, revision, at, reason, message }) => [
      component,
      badge(result === 'failed' ? { icon: 'refused', word: 'failed' } : { icon: 'current', word: 'applied' }),
      revision ?? html`<span class="none">not said</span>`,
      when(at, nowMs),
      html`<strong>${reason}</strong> ${message}`,
    ]),
  )}${more(components.length - shown.length)}${unreported.length === 0 ? undefined : html`<p class="note">Nothing said yet of: ${unreported.slice(0, PAGE_LIMITS.rows).join(', ')}${unreported.length > PAGE_LIMITS.rows ? ', …' : ''}.</p>`}`;
}

const more = (left: number): Html | undefined =>
  left <= 0 ? undefined : html`<p class="note">And ${grouped(left)} more, not shown here.</p>`;

function rendered({ platform_components, namespaces, rolebindings }: RenderedAnswer): Html {
  const components = platform_components.inputs.slice(0, PAGE_LIMITS.rows);
  const list = (title: string, inputs: readonly Input[], fields: readonly string[]): Html =>
    inputs.length === 0
      ? html`<p class="note">No ${title}.</p>`
      : html`${table(
          many(inputs.length, title.slice(0, -1)),
          [{ name: 'Id' }, ...fields.map((name) => ({ name, kind: 'wide' as const }))],
          inputs
            .slice(0, PAGE_LIMITS.rows)
            .map((input) => [input.id, ...fields.map((name) => mapText(input[name]))]),
        )}${more(inputs.length - PAGE_LIMITS.rows)}`;
  return html`${
    components.length === 0
      ? empty('No platform components.', html`Assign some with <code>PATCH /clusters/{id}</code>.`)
      : html`${table(
          many(platform_components.inputs.length, 'platform component'),
          [
            { name: 'Component' },
            { name: 'Enabled' },
            { name: 'Tag' },
            { name: 'Source', kind: 'wide' },
            { name: 'Depends on' },
            { name: 'Patches', kind: 'wide' },
          ],
          components.map((input) => [
            input.id,
            input['enabled'] === true ? 'yes' : html`<strong class="warn">no</strong>`,
            tag(input),
            source(input),
            (input['depends_on'] as readonly string[]).join(', ') || html`<span class="none">nothing</span>`,
            mapText(input['patches']),
          ]),
        )}${more(platform_components.inputs.length - components.length)}`
  }
${list('namespaces', namespaces.inputs, ['labels', 'annotations'])}
${list('rolebindings', rolebindings.inputs, ['role', 'subjects'])}`;
}

/** What runs: a cluster's own tag comes before the catalogue's, whose version stays what it was. */
function tag(input: Input): Html {
  const { oci_tag } = input['source'] as { readonly oci_tag: string };
  return html`<strong>${oci_tag}</strong> <span class="sub">version ${String(input['component_version'])} in the catalogue</span>`;
}

function source(input: Input): Html {
  const { oci_url } = input['source'] as { readonly oci_url: string };
  return html`<code>${oci_url}</code> <span class="sub">${String(input['component_path'])}</span>`;
}

function mapText(value: unknown): Piece {
  if (typeof value === 'string') return value;
  const entries = Object.entries((value ?? {}) as Readonly<Record<string, unknown>>);
  if (entries.length === 0) return html`<span class="none">none</span>`;
  if (Array.isArray(value))
    return html`<ul class="fields">${value.map((one) => html`<li>${valueText(one)}</li>`)}</ul>`;
  return html`<ul class="fields">${entries.map(([key, one]) => html`<li><code>${key}</code> ${valueText(one)}</li>`)}</ul>`;
}

function presented(answer: ClusterView['presented'], nowMs: number): Html {
  if (answer === undefined) return NOT_YOURS;
  if (answer === 'nothing') {
    return empty(
      'It has presented nothing that was accepted.',
      'Look at its refusals below, or ask POST /explain about its certificate.',
    );
  }
  const { certificate, token, observed, pin } = answer;
  const shown = (title: string, seen: SightingAnswer | undefined): Html | undefined =>
    seen === undefined ? undefined : html`<h3>${title}</h3>${sighting(seen, nowMs)}`;
  return html`${shown('Certificate', certificate)}${shown('Token', token)}${shown('Certificate under a CA that is only watched', observed)}
${
  pin === undefined
    ? undefined
    : html`<h3>Key</h3>${facts([
        ['Known by', hash(pin.spki_sha256)],
        ['Since', when(pin.since, nowMs)],
        ...(pin.conflict === undefined
          ? []
          : [
              [
                'Another key',
                html`<strong class="bad">${hash(pin.conflict.spki_sha256)} came ${many(pin.conflict.count, 'time')}, last ${when(pin.conflict.last_seen, nowMs)}</strong>`,
              ] as const,
            ]),
      ])}`
}`;
}

function sighting({ certificate, token_id: tokenId, ...seen }: SightingAnswer, nowMs: number): Html {
  const of: readonly (readonly [string, Piece])[] =
    certificate === undefined
      ? [['Token', tokenId ?? 'shared']]
      : [
          ['Subject', certificate.subject],
          ['Issuer', certificate.issuer],
          [
            'Ends',
            html`${when(certificate.not_after, nowMs)} <span class="sub">${moment(certificate.not_after)}</span>`,
          ],
          ['SHA-256', hash(certificate.sha256)],
          ['Serial', html`<code>${certificate.serial}</code>`],
          [
            'Under the anchor',
            html`<a href="/ui/trust#ca-${certificate.anchor_sha256}">${hash(certificate.anchor_sha256)}</a>`,
          ],
        ];
  return facts([
    ...of,
    ['First seen', when(seen.first_seen, nowMs)],
    ['Last seen', when(seen.last_seen, nowMs)],
    ['Times', grouped(seen.count)],
    ['From', html`<code>${seen.source}</code>`],
    ['TLS', [seen.tls.version, seen.tls.cipher, seen.tls.group ?? []].flat().join(', ')],
  ]);
}

function refusals(found: ClusterView['refusals'], nowMs: number): Html {
  if (found === undefined) return NOT_YOURS;
  if (found.length === 0)
    return empty('Nothing was refused.', 'Nothing came under its name that was turned away.');
  return table(
    many(found.length, 'kind of refusal', 'kinds of refusal'),
    [
      { name: 'Last', kind: 'brief' },
      { name: 'Status' },
      { name: 'Why', kind: 'wide' },
      { name: 'Known by' },
      { name: 'Times' },
      { name: 'From', kind: 'brief' },
      { name: 'Asked for', kind: 'wide' },
    ],
    found.map((one) => [
      when(one.last_at, nowMs),
      html`${one.status} <span class="sub">${one.error}</span>`,
      html`${one.reason}<span class="sub">request ${one.last_request_id}</span>`,
      one.known_by ?? html`<span class="none">nothing</span>`,
      grouped(one.count),
      html`<code>${one.source}</code>`,
      html`${one.method} <code>${one.path}</code>`,
    ]),
  );
}

function history(cluster: ClusterAnswer, found: HistoryAnswer | undefined, nowMs: number): Html {
  if (found === undefined) return NOT_YOURS;
  const { revisions, more: goesOn, looked_back_to: last } = found;
  const on = goesOn
    ? html`<p><a href="/ui/clusters/${cluster.cluster_dns}?before=${last}#history">Older changes</a></p>`
    : undefined;
  if (revisions.length === 0)
    return html`${empty('No change in this time.', 'What is kept of the fleet’s past has nothing about this cluster here.')}${on}`;
  return html`<ol class="history">${revisions.map(
    ({
      revision,
      at,
      author,
      action,
      reason,
      change,
    }) => html`<li><details><summary><span class="rev">Revision ${revision}</span> <span class="what">${change === undefined ? 'its document only' : changeSummary(change)}</span> <span class="sub">${author}, ${action}, ${when(at, nowMs)}${reason === undefined ? '' : `: ${reason}`}</span></summary>
${change === undefined ? html`<p class="note">What it is served stayed the same.</p>` : clusterChange(change)}</details></li>`,
  )}</ol>${on}`;
}
