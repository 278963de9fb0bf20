import { setImmediate as nextTurn } from 'node:timers/promises';
import { NO_CERTIFICATE, type Principal } from '../../../core/identity/principal.ts';
import { type AuthoriseParts, authorise } from '../authorise.ts';
import type { PipelineParts } from '../pipeline.ts';
import { readTarget } from '../target.ts';

/** The page's first view, and what it asks for. */
const ASKED = ['/ui', '/fleet?limit=100&offset=0', '/plans?limit=20'];

/** An operator as far as policies read one, of a role that there is not, so that they refuse it. */
const NOBODY: Principal = Object.freeze({
  kind: 'operator',
  name: '',
  groups: Object.freeze(['fluxgate:nobody']),
  certificate: NO_CERTIFICATE,
});

/**
 * Compiles what the first view of the page would otherwise wait for, some 100 ms of it: how parameters are checked, and the policies'
 * evaluation. Nothing is looked up, answered or logged.
 */
export async function rehearseFirstView(
  parts: AuthoriseParts & Pick<PipelineParts, 'router' | 'trust' | 'clock'>,
): Promise<void> {
  for (const path of ASKED) {
    const target = readTarget(path);
    const route = parts.router.match('GET', target);
    if (!route.found) throw new Error(`${path} is no route`);
    parts.router.validate(route.operation, target, undefined);
    await nextTurn();
    await authorise(parts.trust.policy, parts, route.operation, {
      principal: NOBODY,
      source: '127.0.0.1',
      nowMs: parts.clock.now(),
      clusterDns: undefined,
      clusterRevoked: false,
      objectId: undefined,
      allowsSecrets: false,
      query: target.query,
    });
    await nextTurn();
  }
}
