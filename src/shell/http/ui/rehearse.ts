import { setImmediate as nextTurn } from 'node:timers/promises';
import { NO_CERTIFICATE, type Principal } from '../../../core/identity/principal.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { type AuthoriseParts, authorise } from '../authorise.ts';
import type { Admitted, CallParts } from '../call.ts';
import type { PipelineParts } from '../pipeline.ts';
import { readTarget, type Target } from '../target.ts';
import { answerAsked, blank, type PageRequest, parsed } from './page-request.ts';

const FIRST_VIEW = '/ui';

/** An operator as far as policies read one, of a role that there is not, so that they refuse it. */
const NOBODY: Principal = Object.freeze({
  kind: 'operator',
  name: '',
  groups: Object.freeze(['fluxgate:nobody']),
  certificate: NO_CERTIFICATE,
});

export type RehearsedParts = AuthoriseParts &
  CallParts &
  Pick<PipelineParts, 'router' | 'handlers' | 'trust' | 'clock'>;

/**
 * Does once what the first view of the page would otherwise wait for, some 100 ms of it: how parameters are checked, the policies'
 * evaluation, how the fleet is and how it is shown. The view is nobody's and goes nowhere; nothing is logged.
 */
export async function rehearseFirstView(parts: RehearsedParts): Promise<void> {
  const { operation, target } = await decided(parts, FIRST_VIEW);
  await answerAsked(parts, admitted(), operation, { ...GET, target, page: nobodysPage(parts) });
}

/** As for any request; what comes of it makes no difference here. */
async function decided(
  parts: RehearsedParts,
  path: string,
): Promise<{ readonly operation: Operation; readonly target: Target }> {
  // Whoever polls meanwhile comes in between.
  await nextTurn();
  const target = readTarget(path);
  const route = parts.router.match('GET', target);
  if (!route.found) throw new Error(`${path} is no route`);
  await authorise(parts.trust.policy, parts, route.operation, {
    principal: NOBODY,
    source: SOURCE,
    nowMs: parts.clock.now(),
    clusterDns: undefined,
    clusterRevoked: false,
    objectId: undefined,
    allowsSecrets: false,
    query: target.query,
  });
  return { operation: route.operation, target };
}

const admitted = (): Admitted => ({
  ...blank(),
  principal: NOBODY,
  requestId: '',
  source: SOURCE,
  allowsSecrets: false,
});
const SOURCE = '127.0.0.1';
const GET = { method: 'GET', identifyAgain: () => Promise.resolve() };

function nobodysPage(parts: RehearsedParts): PageRequest {
  const none = (): never => {
    throw new TypeError('nobody does nothing');
  };
  return {
    principal: NOBODY,
    hasSession: false,
    formToken: '',
    signInForm: { token: '', cookie: undefined },
    async ask(path) {
      const { operation, target } = await decided(parts, path);
      return parsed(await answerAsked(parts, admitted(), operation, { ...GET, target }));
    },
    async may(path) {
      await decided(parts, path);
      return true;
    },
    checkForm: none,
    signIn: none,
    signOut: none,
    stillAdmitted: none,
  };
}
