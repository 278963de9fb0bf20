import type { IncomingMessage } from 'node:http';
import type { FluxgateError } from '../../../core/errors.ts';
import type { PipelineParts, RequestRecord } from '../pipeline.ts';
import { type Answer, errorAnswer } from '../respond.ts';
import { signInForm } from './forms.ts';
import { htmlAnswer, renderPage } from './layout.ts';
import { isPagePath } from './page.ts';
import { FORGET_SESSION, readCookie, SESSION_COOKIE } from './sessions.ts';
import { errorTitle, errorView } from './views/error.ts';
import { signInView } from './views/sign-in.ts';

/** An error as an answer: a page for a browser that asked for one of ours, JSON for everybody else. The code is the same. */
export function refusedAnswer(
  { config, page, trust }: Pick<PipelineParts, 'config' | 'page' | 'trust'>,
  request: IncomingMessage,
  record: RequestRecord,
  error: FluxgateError,
): Answer {
  const { requestId } = record;
  const accepts = /\btext\/html\b/.test(request.headers.accept ?? '');
  // Where there are no operator routes, there is no page either, and nothing that looks like one.
  if (!accepts || !isPagePath(record.path) || config.apiMode === 'read-only')
    return errorAnswer(error, requestId);
  const { assets } = page;
  const { status, code, message, headers, details = [] } = error;
  if (code !== 'unauthenticated') {
    const view = errorView({ status, code, message, requestId, details });
    return htmlAnswer(status, renderPage({ assets, title: errorTitle(status), links: [] }, view), {
      headers,
    });
  }
  const sealed = readCookie(request.headersDistinct['cookie'] ?? [], SESSION_COOKIE);
  const isFirstSight =
    record.method === 'GET' && sealed === undefined && request.headers.authorization === undefined;
  const form = config.clientCert === 'required' ? undefined : signInForm(request, trust.snapshot.pageKeys);
  const view = signInView({
    formToken: form?.token,
    problem: isFirstSight
      ? undefined
      : sealed === undefined
        ? message
        : 'You were signed in, and are not any more: the hour is over, or the token is.',
    next: record.method === 'GET' && record.path !== '/ui' ? (request.url ?? '') : '',
    requestId: isFirstSight ? undefined : requestId,
  });
  const cookies = [
    ...(form?.cookie === undefined ? [] : [form.cookie]),
    ...(sealed === undefined ? [] : [FORGET_SESSION]),
  ];
  return htmlAnswer(status, renderPage({ assets, title: 'Sign in', links: [] }, view), { headers, cookies });
}
