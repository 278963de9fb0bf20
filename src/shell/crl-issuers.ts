import type { CrlSet } from '../core/identity/crl-set.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Log } from './log.ts';
import type { CrlIssuerStore } from './store/store.ts';

/**
 * Who ever had a CRL is expected to have one (CRL_POLICY), across restarts as well: an empty CRL_DIR, because a volume was not
 * mounted or a list not fetched yet, must not let the revoked in.
 */
export interface CrlIssuers {
  /** The first snapshot, which knows its own files only, with what was there before. */
  expecting(loaded: Snapshot): Snapshot;
  /** Keeps who has a CRL by now. What cannot be kept is told, and tried again the next time. */
  keep(crls: CrlSet): Promise<void>;
}

/**
 * Without CRL_DIR nothing is expected, and what was is forgotten: that is how to do without CRLs. Throws when the store cannot
 * be read.
 */
export async function loadCrlIssuers(
  store: CrlIssuerStore,
  crlDir: string | undefined,
  log: Log,
): Promise<CrlIssuers> {
  const before = await store.all();
  if (crlDir === undefined && before.size > 0) {
    await store.clear();
    log.warn(
      { issuers: before.size },
      'CRL_DIR is not set: CRLs are checked no more, and none is expected from now on',
    );
  }
  const expected = crlDir === undefined ? new Set<string>() : before;
  const kept = new Set(expected);
  return {
    expecting: (loaded) => Object.freeze({ ...loaded, crls: loaded.crls.expecting(expected) }),
    async keep({ issuers }) {
      const fresh = [...issuers].filter((key) => !kept.has(key));
      if (fresh.length === 0) return;
      try {
        await store.add(fresh);
        for (const key of fresh) kept.add(key);
      } catch (error) {
        log.error(
          { err: error, issuers: fresh.length },
          'who has CRLs was not kept; it is tried again with the next reload',
        );
      }
    },
  };
}
