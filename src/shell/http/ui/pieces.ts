import { grouped } from './grouped.ts';
import { type Html, html, type Piece } from './html.ts';
import type { IconName } from './icons.ts';

/** What the views are put together from. */

export interface State {
  readonly icon: IconName;
  readonly word: string;
}

/** By shape and by word; colour only helps. */
export const badge = ({ icon, word }: State): Html =>
  html`<span class="state ${icon}"><svg class="icon" aria-hidden="true"><use href="#i-${icon}"></use></svg>${word}</span>`;

export interface Column {
  readonly name: string;
  /** `wide` needs room, `brief` stays on one line. */
  readonly kind?: 'wide' | 'brief';
}

/**
 * A table that becomes a list of cards where there is no room for one. Its roles are said outright, because a browser forgets them
 * of a table that is not laid out as one.
 */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Piece[])[],
): Html {
  return html`<table role="table"><caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ name, kind = '' }) => html`<th role="columnheader" scope="col" class="${kind}">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    (cells) => html`<tr role="row">${cells.map((cell, index) => {
      const { name = '', kind = '' } = columns[index] ?? {};
      return index === 0
        ? html`<th role="rowheader" scope="row" class="${kind}">${cell}</th>`
        : html`<td role="cell" class="${kind}" data-name="${name}">${cell}</td>`;
    })}</tr>
`,
  )}</tbody></table>`;
}

/** Names and values of one thing. */
export const facts = (pairs: readonly (readonly [string, Piece])[]): Html =>
  html`<dl class="facts">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

export const section = (id: string, title: string, body: Piece, note?: Piece): Html =>
  html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${note === undefined ? undefined : html`<p class="note">${note}</p>`}${body}</section>`;

/** Nothing to show, and what to do about it. */
export const empty = (what: string, then: Piece): Html =>
  html`<div class="empty"><p><strong>${what}</strong></p><p>${then}</p></div>`;

export const notice = (body: Piece, kind: 'good' | 'bad' | 'plain' = 'plain'): Html =>
  html`<p class="notice ${kind}" role="status">${body}</p>`;

const code = (text: string, shown: string): Html => html`<code title="${text}">${shown}</code>`;
/** Enough of a hash to tell it from others; all of it on hover, and where it can be copied. */
export const hash = (hex: string): Html => code(hex, `${hex.slice(0, 12)}…`);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long, to the two digits that matter. */
export function duration(ms: number): string {
  const size = Math.abs(ms);
  if (size < 90_000) return `${Math.round(size / 1_000)} s`;
  if (size < 90 * MINUTE) return `${Math.round(size / MINUTE)} min`;
  if (size < 48 * HOUR) return `${Math.round(size / HOUR)} h`;
  return `${Math.round(size / DAY)} days`;
}

/** A moment as people ask for it, with the exact one beside it. */
export function when(at: string, nowMs: number): Html {
  const ms = Date.parse(at);
  const distance = ms - nowMs;
  const text =
    Math.abs(distance) < 1_000
      ? 'now'
      : distance < 0
        ? `${duration(distance)} ago`
        : `in ${duration(distance)}`;
  return html`<time datetime="${at}" title="${exact(at)}">${text}</time>`;
}

export const moment = (at: string): Html => html`<time datetime="${at}">${exact(at)}</time>`;

const exact = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;

export const many = (count: number, one: string, several = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : several}`;

export interface Paging {
  readonly offset: number;
  readonly limit: number;
  readonly shown: number;
  /** undefined: nobody counted. */
  readonly total: number | undefined;
  /** Query of another page, without the question mark. */
  readonly query: (offset: number) => string;
}

/** `path`: of the page itself, behind /ui. */
export function pager(path: '' | '/revocations' | '/audit', paging: Paging): Html | undefined {
  const { offset, limit, shown, total, query } = paging;
  const hasMore = total === undefined ? shown === limit : offset + shown < total;
  if (offset === 0 && !hasMore) return undefined;
  const to = (at: number, name: string, rel: string): Html =>
    html`<a rel="${rel}" href="/ui${path}?${query(at)}">${name}</a>`;
  const of = total === undefined ? '' : ` of ${grouped(total)}`;
  return html`<nav class="pager" aria-label="Pages">
${offset > 0 ? to(Math.max(0, offset - limit), 'Previous', 'prev') : html`<span aria-hidden="true">Previous</span>`}
<span>${grouped(offset + 1)}–${grouped(offset + shown)}${of}</span>
${hasMore ? to(offset + limit, 'Next', 'next') : html`<span aria-hidden="true">Next</span>`}
</nav>`;
}

/** `name=value&…`, without what is empty. */
export function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '' && !(name === 'offset' && value === 0))
      query.set(name, String(value));
  }
  return query.toString();
}
