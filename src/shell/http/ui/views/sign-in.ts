import { type Html, html } from '../html.ts';
import { notice } from '../pieces.ts';

export interface SignInView {
  /** undefined: no token is taken here, only certificates (CLIENT_CERT=required). */
  readonly formToken: string | undefined;
  /** What became of the last attempt. */
  readonly problem: string | undefined;
  /** A page of ours, to go on to. */
  readonly next: string;
  readonly requestId: string | undefined;
}

export function signInView({ formToken, problem, next, requestId }: SignInView): Html {
  const told =
    problem === undefined
      ? undefined
      : notice(
          html`${problem}${requestId === undefined ? undefined : html` <small>Request ${requestId}</small>`}`,
          'bad',
        );
  if (formToken === undefined) {
    return html`<div class="sign-in"><h1>Sign in</h1>${told}
<p>This gateway takes operator certificates only. Install yours in the browser, close all of its windows, and open this page again.</p></div>`;
  }
  const back = next.startsWith('/ui') ? next.slice('/ui'.length) : '';
  return html`<div class="sign-in">
<h1>Sign in</h1>
${told}
<form method="post" action="/ui">
<label for="token">Operator token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required maxlength="4096" spellcheck="false">
<input type="hidden" name="form_token" value="${formToken}">
<input type="hidden" name="next" value="${next}">
<button>Sign in</button>
</form>
<p class="note">Signed in for an hour, in this browser only; for less, where the token ends before. With an operator certificate in the browser nothing needs to be typed.</p>
<p class="note">Came from a link elsewhere and signed in already? <a href="/ui${back}">Open the page</a>.</p>
</div>`;
}
