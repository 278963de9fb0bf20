import { grouped } from '../grouped.ts';
import { flag, type Html, html } from '../html.ts';
import { badge, empty, moment, pager, queryOf, type State, table, when } from '../pieces.ts';
import { valueText } from './changes.ts';

export interface RevocationAnswer {
  readonly id: string;
  readonly reason: string;
  readonly state: string;
  readonly created_at: string;
  readonly created_by: string;
  readonly until?: string;
  readonly lifted_by?: string;
  readonly attempts: number;
  readonly last_attempt_at?: string;
  readonly [target: string]: unknown;
}

export interface ListView<T> {
  readonly items: readonly T[];
  readonly offset: number;
  readonly limit: number;
  readonly nowMs: number;
}

const TARGETS = ['cluster_dns', 'certificate_sha256', 'spki_sha256', 'issuer_sha256', 'serial'];

const REVOCATION_STATES: Readonly<Record<string, State>> = {
  in_force: { icon: 'refused', word: 'in force' },
  expired: { icon: 'never', word: 'expired' },
  lifted: { icon: 'never', word: 'lifted' },
};

export function revocationsView({ items, offset, limit, nowMs }: ListView<RevocationAnswer>): Html {
  const list =
    items.length === 0
      ? empty(
          'Nothing is revoked.',
          html`A certificate, a key or a whole cluster is revoked with <code>POST /revocations</code>: in force at once, on open connections too.`,
        )
      : html`${table(
          'Newest first',
          [
            { name: 'Revoked', kind: 'wide' },
            { name: 'State', kind: 'brief' },
            { name: 'Reason', kind: 'wide' },
            { name: 'By' },
            { name: 'When', kind: 'brief' },
            { name: 'Ends', kind: 'brief' },
            { name: 'Attempts since' },
          ],
          items.map((one) => [
            html`${TARGETS.flatMap((name) => (typeof one[name] === 'string' ? [html`<span class="sub">${name.replaceAll('_', ' ')}</span> <code>${String(one[name])}</code> `] : []))} <span class="sub">id ${one.id}</span>`,
            badge(REVOCATION_STATES[one.state] ?? { icon: 'plain', word: one.state }),
            one.reason,
            html`${one.created_by}${one.lifted_by === undefined ? undefined : html` <span class="sub">lifted by ${one.lifted_by}</span>`}`,
            when(one.created_at, nowMs),
            one.until === undefined ? 'never' : when(one.until, nowMs),
            html`${grouped(one.attempts)}${one.last_attempt_at === undefined ? undefined : html` <span class="sub">last ${when(one.last_attempt_at, nowMs)}</span>`}`,
          ]),
        )}${pager('/revocations', { offset, limit, shown: items.length, total: undefined, query: (at) => queryOf({ offset: at }) })}`;
  return html`<h1>Revocations</h1><div data-region="revocations">${list}</div>`;
}

export interface AuditAnswer {
  readonly sequence: number;
  readonly at: string;
  readonly event: string;
  readonly actor?: { readonly principal: string; readonly credential: string };
  readonly source?: string;
  readonly operation?: string;
  readonly object?: string;
  readonly reason?: string;
  readonly details?: object;
  readonly count?: number;
  readonly request_id?: string;
}

export function auditView(
  view: ListView<AuditAnswer> & { readonly event: string; readonly events: readonly string[] },
): Html {
  const { items, offset, limit, event, events, nowMs } = view;
  const list =
    items.length === 0
      ? empty('Nothing of this kind.', html`<a href="/ui/audit">Show all kinds</a>.`)
      : html`${table(
          'Newest first',
          [
            { name: 'When', kind: 'brief' },
            { name: 'What' },
            { name: 'Who' },
            { name: 'To what', kind: 'wide' },
            { name: 'From', kind: 'brief' },
            { name: 'More', kind: 'wide' },
          ],
          items.map((one) => [
            html`${moment(one.at)}<span class="sub">${when(one.at, nowMs)}</span>`,
            html`${one.event.replaceAll('_', ' ')}${one.count === undefined ? undefined : html` <span class="tag">${grouped(one.count)} times</span>`}${one.operation === undefined ? undefined : html`<span class="sub">${one.operation}</span>`}`,
            one.actor === undefined
              ? html`<span class="none">nobody</span>`
              : html`${one.actor.principal}<span class="sub">${one.actor.credential}</span>`,
            one.object ?? html`<span class="none">nothing</span>`,
            one.source === undefined
              ? html`<span class="none">here</span>`
              : html`<code>${one.source}</code>`,
            html`${one.reason}${one.details === undefined ? undefined : html` <span class="sub">${valueText(one.details)}</span>`}`,
          ]),
        )}${pager('/audit', { offset, limit, shown: items.length, total: undefined, query: (at) => queryOf({ event, offset: at }) })}`;
  const option = (value: string, name: string): Html =>
    html`<option value="${value}"${flag('selected', value === event)}>${name}</option>`;
  return html`<h1>Audit</h1>
<p class="note">Every row is chained to the one before it by its hash; <code>fluxgate audit verify</code> checks the chain.</p>
<form class="filters" action="/ui/audit"><div class="field"><label for="event">What</label><select id="event" name="event">${option('', 'All')}${events.map((name) => option(name, name.replaceAll('_', ' ')))}</select></div><button>Show</button></form>
<div data-region="audit">${list}</div>`;
}
