import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FluxgateError } from '../../../core/errors.ts';
import {
  formToken,
  isFormToken,
  type PageKeys,
  type PageSession,
} from '../../../core/identity/page-session.ts';
import { describePrincipal, type Principal } from '../../../core/identity/principal.ts';
import { FORM_COOKIE, formCookie, readCookie } from './sessions.ts';

/** Whether a form was sent from a page of ours, by whoever it was shown to. */

type Headers = Pick<IncomingMessage, 'headersDistinct'>;

/**
 * Throws `forbidden` unless the browser says that one of our own pages sent this (Fetch Metadata; where it is too old for that, Origin), and
 * the form's token is the one that was made for whoever asks now. SameSite keeps cookies from other sites; nothing but this keeps
 * client certificates from them.
 */
export function checkForm(request: Headers, keys: PageKeys, holder: string, presented: string): void {
  const refuse = (logged: string): FluxgateError =>
    new FluxgateError(
      'forbidden',
      'This form was not sent from the page that it stands on. Open /ui and send it again.',
      {
        logged: `form: ${logged}`,
      },
    );
  const sole = (name: string): string | undefined => {
    const values = request.headersDistinct[name] ?? [];
    if (values.length > 1) throw refuse(`two headers ${name}`);
    return values[0];
  };
  const origin = sole('origin');
  const site = sole('sec-fetch-site');
  if (origin === undefined && site === undefined) throw refuse('neither Origin nor Sec-Fetch-Site');
  if (origin !== undefined && origin.toLowerCase() !== `https://${sole('host')?.toLowerCase()}`) {
    throw refuse('another origin');
  }
  if (site !== undefined && site !== 'same-origin') throw refuse('another site');
  if (!isFormToken(keys, holder, presented)) throw refuse('not the token of whoever sends it');
}

/** Who a form is for: whoever signs out and in again is somebody else. */
export function formHolder(principal: Principal, session: PageSession | undefined): string {
  if (session !== undefined) return `session ${session.id}`;
  if ('certificate' in principal) return `certificate ${principal.certificate.sha256}`;
  return `principal ${describePrincipal(principal)}`;
}

const NONCE = /^[A-Za-z0-9_-]{22}$/;

/** Of the form to sign in with: nobody is known yet, so it is bound to the browser that it was shown in. */
export function signInHolder(request: Headers): string {
  const nonce = readCookie(request.headersDistinct['cookie'] ?? [], FORM_COOKIE);
  return `sign-in ${nonce !== undefined && NONCE.test(nonce) ? nonce : randomBytes(16).toString('base64url')}`;
}

export interface SignInForm {
  readonly token: string;
  /** To be set along with it; undefined: the browser has it. */
  readonly cookie: string | undefined;
}

export function signInForm(request: Headers, keys: PageKeys): SignInForm {
  const known = readCookie(request.headersDistinct['cookie'] ?? [], FORM_COOKIE);
  if (known !== undefined && NONCE.test(known)) {
    return { token: formToken(keys, `sign-in ${known}`), cookie: undefined };
  }
  const nonce = randomBytes(16).toString('base64url');
  return { token: formToken(keys, `sign-in ${nonce}`), cookie: formCookie(nonce) };
}
