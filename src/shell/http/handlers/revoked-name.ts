import { FluxgateError } from '../../../core/errors.ts';
import { nearest } from '../../../core/nearest.ts';
import type { Log } from '../../log.ts';
import { createPause } from '../../pause.ts';
import type { Store } from '../../store/store.ts';

/** Of more clusters it is not said which one is the nearest: each name costs some microseconds. */
const NAMES_MAX = 10_000;
const PAGE = 500;

/**
 * What is to be said of a DNS name that was revoked: in force it is whatever the fleet holds, and so a slip of the fingers looks like
 * success. What cannot be looked up is told, too: the revocation stands, and an error would say that it does not.
 */
export async function nameWarnings(
  { reader, outlines }: Pick<Store, 'reader' | 'outlines'>,
  clusterDns: string,
  log: Log,
): Promise<readonly string[]> {
  try {
    const query = { filters: { cluster_dns: clusterDns }, limit: 1, offset: 0 };
    if ((await reader.list('cluster', query)).total > 0) return [];
    const near = await nearestName(outlines, clusterDns);
    const meant = near === undefined ? '' : `; is ${near} meant?`;
    return [`no cluster in the fleet has this DNS name, so this refuses none of them${meant}`];
  } catch (error) {
    if (!(error instanceof FluxgateError)) log.error({ err: error }, 'whose name was revoked is not known');
    return ['whether a cluster in the fleet has this DNS name could not be looked up'];
  }
}

/** The DNS name of the cluster whose DNS name or id is near; a cluster's id itself is one, for it may be taken for its DNS name. */
async function nearestName(outlines: Store['outlines'], text: string): Promise<string | undefined> {
  const pause = createPause();
  const winners = new Map<string, string>();
  let looked = 0;
  for (let after = ''; ; ) {
    const page = await outlines.clusters(after, PAGE);
    looked += page.length;
    if (looked > NAMES_MAX) return undefined;
    for (const { id, clusterDns } of page) {
      for (const name of [clusterDns, id])
        if (nearest(text, [name]) !== undefined) winners.set(name, clusterDns);
      await pause();
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    after = last.id;
  }
  const near = nearest(text, [...winners.keys()]);
  return near === undefined ? undefined : winners.get(near);
}
