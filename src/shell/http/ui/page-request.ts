import type { IncomingMessage } from 'node:http';
import { FluxgateError } from '../../../core/errors.ts';
import { formToken } from '../../../core/identity/page-session.ts';
import { ANONYMOUS, type Principal } from '../../../core/identity/principal.ts';
import { hashOfToken } from '../../../core/identity/token-list.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { type Admission, type Asked, admit, identifyAgain, refusal } from '../admission.ts';
import { acceptToken } from '../authenticate-token.ts';
import { contextOf } from '../authorise.ts';
import { type Admitted, type CallParts, createCall } from '../call.ts';
import type { Call } from '../handlers/handlers.ts';
import type { PipelineParts, RequestRecord } from '../pipeline.ts';
import { type Answer, Live, Pieces } from '../respond.ts';
import { readTarget, type Target } from '../target.ts';
import { checkForm, formHolder, type SignInForm, signInForm, signInHolder } from './forms.ts';

/** What a view may ask for, always as whoever looks at it. */
export interface PageRequest {
  readonly principal: Principal;
  /** Signed in with a token, so it can be signed out. */
  readonly hasSession: boolean;
  readonly formToken: string;
  readonly signInForm: SignInForm;
  /**
   * What the JSON route would answer to the very same person, by the very same steps: route, network, credential, policy, parameters. `path`
   * with its query. Throws what the route would answer.
   */
  ask<T>(path: string, method?: 'GET' | 'POST'): Promise<T>;
  /** Whether the same steps would let it in. */
  may(path: string, method?: 'GET' | 'POST'): Promise<boolean>;
  /** Throws `forbidden` unless the form was sent from our own page, by whom it was shown to. */
  checkForm(presented: string, isSignIn?: boolean): void;
  /** From now on the request is by whoever the token is. Resolves with the cookie. Throws what a token of no worth is answered. */
  signIn(token: string): Promise<string>;
  signOut(): Promise<void>;
  /** Rejects once whoever asked may not any more. */
  stillAdmitted(): Promise<void>;
}

export function createPageRequest(
  parts: PipelineParts,
  request: IncomingMessage,
  record: RequestRecord,
  asked: Asked,
): PageRequest {
  const keys = () => parts.trust.snapshot.pageKeys;
  return {
    get principal() {
      return record.principal;
    },
    get hasSession() {
      return record.session !== undefined;
    },
    get formToken() {
      return formToken(keys(), formHolder(record.principal, record.session));
    },
    get signInForm() {
      return signInForm(request, keys());
    },
    ask: async (path, method = 'GET') => parsed(await askRoute(parts, record, asked, method, path)),
    async may(path, method = 'GET') {
      try {
        await admit(parts, askedFor(record, asked, method, readTarget(path)), blank());
        return true;
      } catch (error) {
        if (error instanceof FluxgateError && error.code !== 'unavailable') return false;
        throw error;
      }
    },
    checkForm(presented, isSignIn = false) {
      const holder = isSignIn ? signInHolder(request) : formHolder(record.principal, record.session);
      checkForm(request, keys(), holder, presented);
    },
    async signIn(token) {
      const principal = acceptToken(parts, token, record);
      const decision = parts.trust.policy.decide({
        principal,
        operationId: 'showFleet',
        resource: { kind: 'gateway' },
        context: contextOf(parts.config, { ...record, principal, nowMs: parts.clock.now() }),
      });
      record.principal = principal;
      record.decision = decision;
      if (!decision.allowed) throw refusal(principal, decision, false);
      parts.throttle.admitted(principal);
      const { session, cookie } = parts.page.sessions.begin(hashOfToken(token));
      record.session = session;
      return cookie;
    },
    async signOut() {
      if (record.session !== undefined) await parts.page.sessions.end(record.session);
      record.session = undefined;
      record.principal = ANONYMOUS;
    },
    async stillAdmitted() {
      await admit(parts, asked, blank());
    },
  };
}

export const blank = (): Admission => ({
  operation: undefined,
  verdict: undefined,
  principal: ANONYMOUS,
  clusterDns: undefined,
  objectId: undefined,
  cluster: undefined,
  decision: undefined,
  revocationId: undefined,
});

/** The same person, from the same place, asks for something else. */
const askedFor = (record: RequestRecord, asked: Asked, method: string, target: Target): Asked => ({
  method,
  target,
  source: record.source,
  allowsSecrets: false,
  get nowMs() {
    return asked.nowMs;
  },
  verdict: () => asked.verdict(),
  withoutCertificate: () => record.principal,
});

async function askRoute(
  parts: PipelineParts,
  record: RequestRecord,
  asked: Asked,
  method: 'GET' | 'POST',
  path: string,
): Promise<Answer> {
  const { requestId, source } = record;
  const admitted = { ...blank(), requestId, source, allowsSecrets: false };
  const target = readTarget(path);
  const operation = await admit(parts, askedFor(record, asked, method, target), admitted);
  if (operation.about === 'page') throw new TypeError(`${path}: a page asks no page`);
  return answerAsked(parts, admitted, operation, {
    method,
    target,
    identifyAgain: () => identifyAgain(parts, asked, record),
  });
}

/** Of a request without a body, once it was let in; `page`: of a page's own. Throws what its parameters are refused with. */
export function answerAsked(
  parts: CallParts & Pick<PipelineParts, 'router' | 'handlers'>,
  admitted: Admitted,
  operation: Operation,
  { target, ...rest }: Pick<Call, 'method' | 'identifyAgain' | 'page'> & { readonly target: Target },
): Promise<Answer> {
  const parameters = parts.router.validate(operation, target, undefined);
  const handler = parts.handlers.get(operation.operationId);
  if (handler === undefined) throw new Error(`no handler for ${operation.operationId}`);
  const call = { ...rest, parameters, body: undefined, header: () => undefined };
  return handler({ ...createCall(parts, admitted, operation, call), ...rest });
}

/** As a client would read it. */
export function parsed<T>({ body }: Answer): T {
  if (body instanceof Live) throw new TypeError('a page asks no stream');
  if (body instanceof Pieces) return JSON.parse(Buffer.concat(body.pieces).toString('utf8')) as T;
  if (body instanceof Uint8Array) return JSON.parse(Buffer.from(body).toString('utf8')) as T;
  return (typeof body === 'string' ? JSON.parse(body) : body) as T;
}

/** Of a call to a route of the page. */
export function pageOf(call: Call): PageRequest {
  if (call.page === undefined) throw new TypeError(`${call.operationId} is no route of the page`);
  return call.page;
}

/** What of a page is shown to whoever may not see this part, or where there is none: undefined, and nothing else is hidden by it. */
export async function ifAllowed<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof FluxgateError && (error.code === 'forbidden' || error.code === 'not_found'))
      return undefined;
    throw error;
  }
}
