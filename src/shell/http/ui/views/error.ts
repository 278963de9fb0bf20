import type { ErrorDetail } from '../../../../core/errors.ts';
import { type Html, html } from '../html.ts';

export interface ErrorView {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  readonly details: readonly ErrorDetail[];
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'That request is not right',
  403: 'Not for you, or not from here',
  404: 'Nothing here',
  405: 'Not like this',
  409: 'It has changed meanwhile',
  421: 'Another host’s page',
  429: 'Too much at once',
  495: 'Your certificate is not accepted',
  503: 'No true answer now',
};

export const errorTitle = (status: number): string => TITLES[status] ?? 'Refused';

export function errorView({ status, code, message, requestId, details }: ErrorView): Html {
  return html`<div class="error"><h1>${errorTitle(status)}</h1>
<p>${message}</p>
${details.length === 0 ? undefined : html`<ul>${details.map(({ field, problem }) => html`<li><code>${field}</code> ${problem}</li>`)}</ul>`}
<p class="note">${status} <code>${code}</code>. Request <code>${requestId}</code> finds the reason in the gateway’s log.</p>
<p><a href="/ui">To the fleet</a></p></div>`;
}
