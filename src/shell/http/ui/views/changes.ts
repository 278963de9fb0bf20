import { PAGE_LIMITS } from '../../../../core/page-limits.ts';
import { grouped } from '../grouped.ts';
import { type Html, html } from '../html.ts';
import { many, table } from '../pieces.ts';

/** What changes for one cluster, as plans and histories say it. */
export interface PlannedCluster {
  readonly id: string;
  readonly cluster_dns: string;
  readonly environment: string;
  readonly environment_before?: string;
  readonly answers: string;
  readonly revived?: boolean;
  readonly routes: readonly PlannedRoute[];
}

interface PlannedRoute {
  readonly route: string;
  readonly inputs_before: number;
  readonly inputs_after: number;
  readonly reordered: boolean;
  readonly inputs: readonly {
    readonly id: string;
    readonly change: string;
    readonly fields: readonly FieldChange[];
  }[];
}

export interface FieldChange {
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

const FATES: Readonly<Record<string, string>> = {
  begins: 'It begins to be served.',
  ends: 'It is served no more: its routes answer 404.',
  moves: 'It is served under another name; the old one answers 404.',
};

/** Added, removed, changed: by sign and word. */
const SIGNS: Readonly<Record<string, string>> = {
  added: '+',
  created: '+',
  enabled: '+',
  removed: '−',
  deleted: '−',
  disabled: '−',
};

export const changeWord = (change: string): Html =>
  html`<span class="change ${change}"><span aria-hidden="true">${SIGNS[change] ?? '~'}</span> ${change}</span>`;

/** In few words, for a summary. */
export function changeSummary({ answers, routes }: PlannedCluster): string {
  if (answers !== 'stays') return FATES[answers] ?? answers;
  const counts = new Map<string, number>();
  for (const { inputs } of routes) {
    for (const { change } of inputs) counts.set(change, (counts.get(change) ?? 0) + 1);
  }
  const told = [...counts].map(([change, count]) => `${grouped(count)} ${change}`);
  if (told.length === 0 && routes.some(({ reordered }) => reordered)) return 'another order';
  return told.join(', ');
}

export function clusterChange(change: PlannedCluster): Html {
  const { answers, environment, environment_before: before, revived, routes } = change;
  return html`${answers === 'stays' ? undefined : html`<p>${FATES[answers] ?? answers}</p>`}
${before === undefined ? undefined : html`<p>Environment: <del>${before}</del> <ins>${environment}</ins></p>`}
${revived === true ? html`<p>Under this name a cluster was served before; Flux there may still hold what that was.</p>` : undefined}
${routes.map(routeChange)}`;
}

function routeChange({
  route,
  inputs,
  inputs_before: before,
  inputs_after: after,
  reordered,
}: PlannedRoute): Html {
  const shown = inputs.slice(0, PAGE_LIMITS.rows);
  const left = inputs.length - shown.length;
  const caption = `${route}: ${many(before, 'input')} before, ${grouped(after)} after${reordered ? ', in another order' : ''}`;
  return html`${table(
    caption,
    [{ name: 'Input' }, { name: 'Change' }, { name: 'Fields', kind: 'wide' }],
    shown.map(({ id, change, fields }) => [id, changeWord(change), fieldChanges(fields)]),
  )}${left === 0 ? undefined : html`<p class="note">And ${many(left, 'input')} more, not shown here.</p>`}`;
}

export function fieldChanges(fields: readonly FieldChange[]): Html {
  if (fields.length === 0) return html`<span class="none">all of it</span>`;
  const shown = fields.slice(0, PAGE_LIMITS.rows);
  const left = fields.length - shown.length;
  return html`<ul class="fields">${shown.map(
    (one) =>
      html`<li><code>${one.field}</code> ${'before' in one ? html`<del>${valueText(one.before)}</del>` : undefined} ${'after' in one ? html`<ins>${valueText(one.after)}</ins>` : undefined}</li>`,
  )}${left === 0 ? undefined : html`<li>and ${many(left, 'field')} more, not shown here</li>`}</ul>`;
}

/** Cut where it is long, and it says so: nobody should approve what they take for the whole. */
export function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const characters = [...text];
  const left = characters.length - PAGE_LIMITS.valueCharacters;
  if (left <= 0) return text === '' ? '“”' : text;
  return `${characters.slice(0, PAGE_LIMITS.valueCharacters).join('')}… (${grouped(left)} more characters)`;
}
