/** What somebody should know of the CRLs in force: for /ready and the log, before staleness bites and when it does. */

import { describeCrl } from './crl.ts';
import type { CrlSet } from './crl-set.ts';
import type { CrlState } from './crl-state.ts';
import { printableTime } from './printable.ts';

/** What refuses somebody's clients now: CRLs that policy requires, and that are stale or not begun. */
export function findMissingCrls(set: CrlSet, nowMs: number): readonly CrlState[] {
  if (set.policy !== 'require-fresh') return [];
  return set.states(nowMs).filter(({ status }) => status === 'stale' || status === 'future');
}

/** One line for each CRL that somebody should look after, in the order of the issuers. */
export function crlWarnings(set: CrlSet, nowMs: number): readonly string[] {
  return set.states(nowMs).flatMap(({ crl, status }) => {
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
}
