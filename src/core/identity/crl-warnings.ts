/** What somebody should know of the CRLs in force: for /ready and the log, before staleness bites and when it does. */

import { describeCrl } from './crl.ts';
import type { CrlSet } from './crl-set.ts';
import type { BoundCrl, CrlState } from './crl-state.ts';
import { printableTime } from './printable.ts';

/** Whether somebody's clients are refused now: for a CRL that policy requires, and that is stale, not begun or not there. */
export function isCrlMissing(set: CrlSet, nowMs: number): boolean {
  if (set.policy !== 'require-fresh') return false;
  if (set.missing.length > 0) return true;
  return set.states(nowMs).some(({ status }) => status === 'stale' || status === 'future');
}

function missingWarnings({ missing, policy }: CrlSet): readonly string[] {
  const then =
    policy === 'require-fresh'
      ? 'every certificate of that issuer is refused'
      : 'whom it revoked is not known (CRL_POLICY=prefer-fresh)';
  return missing.map(
    ({ subject }) =>
      `CRL_DIR: there is no CRL of "${subject.readable}", which had one before: ${then}. Put its newest CRL into CRL_DIR; to do ` +
      'without CRLs from now on, start once with CRL_DIR unset',
  );
}

const nameOf = ({ facts, source }: BoundCrl): string => `${describeCrl(facts)} (${source})`;

/** Its file is gone, and this process is all that knows it: what that means, and what would end it. */
function rememberedWarning(set: CrlSet, { crl, next }: CrlState): string {
  if (next === undefined) {
    return `CRL_DIR: ${nameOf(crl)} is in CRL_DIR no more, or only an older one: what it says stays in force, until a newer one of that issuer comes or the process restarts`;
  }
  const restart =
    set.policy === 'require-fresh'
      ? 'refuses every certificate of that issuer'
      : 'does not know whom it revokes (CRL_POLICY=prefer-fresh)';
  return (
    `CRL_DIR: ${nameOf(next)} is from the future (thisUpdate ${printableTime(next.facts.thisUpdate)}), and not in force before then. ` +
    `${nameOf(crl)} stays in force meanwhile, but its file is gone: a process that starts before then, a worker too, ${restart}. ` +
    'Put the CRL before back into CRL_DIR, beside this one, and check the clocks'
  );
}

/** One line for each CRL that somebody should look after, in the order of the issuers. */
export function crlWarnings(set: CrlSet, nowMs: number): readonly string[] {
  const refused = set.policy === 'require-fresh';
  const ofStates = set.states(nowMs).flatMap((state) => {
    const lines: string[] = [];
    const { crl, status } = state;
    const what = `CRL_DIR: ${nameOf(crl)}`;
    const { thisUpdate, nextUpdate, entries } = crl.facts;
    if (status === 'stale') {
      lines.push(
        `${what} is stale since ${printableTime(nextUpdate)}: ${refused ? 'every certificate of that issuer is refused' : 'it still revokes, but newer revocations are not known (CRL_POLICY=prefer-fresh)'}. Put its newest CRL into CRL_DIR`,
      );
    }
    if (status === 'future') {
      lines.push(
        `${what} is from the future (thisUpdate ${printableTime(thisUpdate)}), and not in force: until then ${refused ? 'every certificate of that issuer is refused' : 'whom it revokes is not known (CRL_POLICY=prefer-fresh)'}. Put the CRL before into CRL_DIR, beside this one, and check the clocks`,
      );
    }
    if (status === 'ending') {
      lines.push(
        `${what} becomes stale at ${printableTime(nextUpdate)}. Put its newest CRL into CRL_DIR before that`,
      );
    }
    if (crl.remembered) lines.push(rememberedWarning(set, state));
    if (entries.removals > 0) {
      lines.push(
        `${what} has ${entries.removals} entries with removeFromCRL, which belongs into delta CRLs; they revoke nothing`,
      );
    }
    return lines;
  });
  return [...ofStates, ...missingWarnings(set)];
}
