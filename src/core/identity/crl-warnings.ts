/** What somebody should know of the CRLs in force: for /ready and the log, before staleness bites and when it does. */

import { describeCrl } from './crl.ts';
import type { CrlSet } from './crl-set.ts';
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

/** One line for each CRL that somebody should look after, in the order of the issuers. */
export function crlWarnings(set: CrlSet, nowMs: number): readonly string[] {
  const ofStates = set.states(nowMs).flatMap(({ crl, status }) => {
    const lines: string[] = [];
    const what = `CRL_DIR: ${describeCrl(crl.facts)} (${crl.source})`;
    const { thisUpdate, nextUpdate, entries } = crl.facts;
    const refused = set.policy === 'require-fresh';
    if (status === 'stale') {
      lines.push(
        `${what} is stale since ${printableTime(nextUpdate)}: ${refused ? 'every certificate of that issuer is refused' : 'it still revokes, but newer revocations are not known (CRL_POLICY=prefer-fresh)'}. Put its newest CRL into CRL_DIR`,
      );
    }
    if (status === 'future') {
      lines.push(
        `${what} is from the future (thisUpdate ${printableTime(thisUpdate)}), and not in force${refused ? ': until then every certificate of that issuer is refused' : ''}. Check the clocks`,
      );
    }
    if (status === 'ending') {
      lines.push(
        `${what} becomes stale at ${printableTime(nextUpdate)}. Put its newest CRL into CRL_DIR before that`,
      );
    }
    if (crl.remembered) {
      lines.push(
        `${what} is in CRL_DIR no more, or only an older one: what it says stays in force, until a newer one of that issuer comes or the process restarts`,
      );
    }
    if (entries.removals > 0) {
      lines.push(
        `${what} has ${entries.removals} entries with removeFromCRL, which belongs into delta CRLs; they revoke nothing`,
      );
    }
    return lines;
  });
  return [...ofStates, ...missingWarnings(set)];
}
