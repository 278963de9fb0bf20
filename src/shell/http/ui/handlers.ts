import { AUDIT_EVENTS, type AuditRequest, actorOf } from '../../../core/audit/entry.ts';
import { FluxgateError } from '../../../core/errors.ts';
import { describePrincipal } from '../../../core/identity/principal.ts';
import { PAGE_LIMITS } from '../../../core/page-limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import type { Call, Handler, HandlerParts } from '../handlers/handlers.ts';
import { numberOf } from '../parameters.ts';
import type { Answer } from '../respond.ts';
import { type Html, html } from './html.ts';
import { htmlAnswer, type Link, renderPage } from './layout.ts';
import { type PageRequest, pageOf } from './page-request.ts';
import { notice, queryOf } from './pieces.ts';
import { FORGET_SESSION } from './sessions.ts';
import { showCluster } from './show-cluster.ts';
import { fleetPage } from './show-fleet.ts';
import { type AuditAnswer, auditView, type RevocationAnswer, revocationsView } from './views/lists.ts';
import { type PlanAnswer, type PlanDetails, plansView, planView } from './views/plans.ts';
import { signInView } from './views/sign-in.ts';
import { type TrustAnswer, trustView } from './views/trust.ts';

type Parts = Pick<HandlerParts, 'page' | 'clock' | 'audit'>;

/** The status page: each view asks the JSON routes, as whoever looks at it, and shows what they answer. */
export function pageHandler(operation: Operation, parts: Parts): Handler | undefined {
  const { clock } = parts;
  switch (operation.operationId) {
    case 'showFleet':
      return async (call) => {
        const page = pageOf(call);
        return shown(
          page,
          parts,
          { title: 'Fleet', path: '/ui' },
          await fleetPage(page, call.parameters.query, clock.now()),
        );
      };
    case 'signInOnPage':
      return (call) => signIn(call, parts);
    case 'signOut':
      return (call) => signOut(call, parts);
    case 'showCluster':
      return async (call) => {
        const { title, main } = await showCluster(pageOf(call), call.parameters, clock.now());
        return shown(pageOf(call), parts, { title }, main);
      };
    case 'showTrust':
      return async (call) => {
        const trust = await pageOf(call).ask<TrustAnswer>(
          `/trust?limit=${PAGE_LIMITS.names}&expires_within=14d`,
        );
        return shown(
          pageOf(call),
          parts,
          { title: 'Trust', path: '/ui/trust' },
          trustView(trust, clock.now()),
        );
      };
    case 'showRevocations':
      return async (call) => {
        const offset = numberOf(call.parameters.query['offset'], 0);
        const limit = PAGE_LIMITS.rows;
        const items = await pageOf(call).ask<RevocationAnswer[]>(
          `/revocations?${queryOf({ limit, offset })}`,
        );
        const main = revocationsView({ items, offset, limit, nowMs: clock.now() });
        return shown(pageOf(call), parts, { title: 'Revocations', path: '/ui/revocations' }, main);
      };
    case 'showAudit':
      return async (call) => {
        const event = String(call.parameters.query['event'] ?? '');
        const offset = numberOf(call.parameters.query['offset'], 0);
        const limit = PAGE_LIMITS.rows;
        const items = await pageOf(call).ask<AuditAnswer[]>(`/audit?${queryOf({ limit, offset, event })}`);
        const main = auditView({ items, offset, limit, event, events: AUDIT_EVENTS, nowMs: clock.now() });
        return shown(pageOf(call), parts, { title: 'Audit', path: '/ui/audit' }, main);
      };
    case 'showPlans':
      return async (call) => {
        const plans = await pageOf(call).ask<PlanAnswer[]>(`/plans?limit=${PAGE_LIMITS.rows}`);
        return shown(
          pageOf(call),
          parts,
          { title: 'Plans', path: '/ui/plans' },
          plansView(plans, clock.now()),
        );
      };
    case 'showPlan':
      return (call) => showPlan(call, parts, false);
    case 'approveOnPage':
      return async (call) => {
        const page = pageOf(call);
        page.checkForm((call.body as { readonly form_token: string }).form_token);
        await page.ask(`${planPath(call)}/approve`, 'POST');
        return showPlan(call, parts, true);
      };
    case 'watchPages':
      return async (call) => {
        const { principal, stillAdmitted } = pageOf(call);
        return {
          status: 200,
          body: parts.page.streams.open(describePrincipal(principal), stillAdmitted),
          contentType: 'text/event-stream',
        };
      };
    case 'getAsset':
      return async (call) => {
        const asset = parts.page.assets.get(call.parameters.path['asset'] ?? '');
        if (asset !== undefined) return asset;
        throw new FluxgateError('not_found', 'No page of this gateway refers to a file of this name.');
      };
    default:
      return undefined;
  }
}

const LINKS: readonly (Link & { readonly asks: string })[] = [
  { path: '/ui', name: 'Fleet', asks: '' },
  { path: '/ui/trust', name: 'Trust', asks: '/trust' },
  { path: '/ui/revocations', name: 'Revocations', asks: '/revocations' },
  { path: '/ui/plans', name: 'Plans', asks: '/plans' },
  { path: '/ui/audit', name: 'Audit', asks: '/audit' },
];

async function shown(
  page: PageRequest,
  { page: { assets } }: Parts,
  frame: { readonly title: string; readonly path?: Link['path']; readonly address?: string },
  main: Html,
  cookies: readonly string[] = [],
): Promise<Answer> {
  const links: Link[] = [];
  for (const link of LINKS) if (link.asks === '' || (await page.may(link.asks))) links.push(link);
  const who = {
    name: describePrincipal(page.principal),
    signOut: page.hasSession ? page.formToken : undefined,
  };
  return htmlAnswer(200, renderPage({ assets, links, who, isLive: true, ...frame }, main), { cookies });
}

/** Answers with the page itself: no route ever redirects. */
async function signIn(call: Call, parts: Parts): Promise<Answer> {
  const page = pageOf(call);
  const {
    token,
    form_token: presented,
    next = '',
  } = call.body as {
    readonly token: string;
    readonly form_token: string;
    readonly next?: string;
  };
  page.checkForm(presented, true);
  const cookie = await page.signIn(token.trim());
  parts.audit.session('signed_in', auditedSession(call, page));
  const on =
    next === '' || next === '/ui'
      ? undefined
      : notice(
          html`You are signed in. <a href="/ui${next.slice('/ui'.length)}">Go on to the page that you asked for</a>.`,
          'good',
        );
  const fleet = await fleetPage(page, {}, parts.clock.now());
  return shown(page, parts, { title: 'Fleet', path: '/ui', address: '/ui' }, html`${on}${fleet}`, [cookie]);
}

async function signOut(call: Call, parts: Parts): Promise<Answer> {
  const page = pageOf(call);
  page.checkForm((call.body as { readonly form_token: string }).form_token);
  const signedOut = page.hasSession ? auditedSession(call, page) : undefined;
  await page.signOut();
  if (signedOut !== undefined) parts.audit.session('signed_out', signedOut);
  parts.page.streams.noteSignOut();
  const { token, cookie } = page.signInForm;
  const main = signInView({ formToken: token, problem: undefined, next: '', requestId: undefined });
  const cookies = [FORGET_SESSION, ...(cookie === undefined ? [] : [cookie])];
  const frame = { assets: parts.page.assets, title: 'Signed out', links: [], address: '/ui' };
  return htmlAnswer(200, renderPage(frame, html`${notice('You are signed out.', 'good')}${main}`), {
    cookies,
  });
}

/** Whose session it is, by the token that it was begun with: before that the request was nobody's. */
function auditedSession(
  { audited: { source, request_id, operation } }: Call,
  page: PageRequest,
): AuditRequest {
  return { actor: actorOf(page.principal), source, request_id, operation };
}

const planPath = (call: Call): string => `/plans/${call.parameters.path['plan_hash']}`;

async function showPlan(call: Call, parts: Parts, justApproved: boolean): Promise<Answer> {
  const page = pageOf(call);
  const plan = await page.ask<PlanDetails>(planPath(call));
  const { mayAsk, because } = await mayApprove(page, plan, planPath(call));
  const formToken = mayAsk ? page.formToken : undefined;
  const main = planView({ plan, formToken, because, justApproved, nowMs: parts.clock.now() });
  const address = justApproved ? { address: `/ui${planPath(call)}` } : {};
  return shown(page, parts, { title: 'Plan', ...address }, main);
}

/** Only what is shown: whether it may be approved is said by the route that does it. */
async function mayApprove(
  page: PageRequest,
  { requested_by: by }: PlanAnswer,
  path: string,
): Promise<{ readonly mayAsk: boolean; readonly because: string | undefined }> {
  if (!(await page.may(`${path}/approve`, 'POST'))) return { mayAsk: false, because: undefined };
  if (page.principal.kind !== 'operator') {
    return {
      mayAsk: false,
      because: 'Plans are approved with an operator certificate: a person’s own. A token is not enough.',
    };
  }
  if (by === describePrincipal(page.principal)) {
    return { mayAsk: false, because: 'You asked for this plan: approving it takes somebody else.' };
  }
  return { mayAsk: true, because: undefined };
}
