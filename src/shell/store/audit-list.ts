import type { AuditQuery, AuditRecord } from '../../core/audit/trail.ts';
import type { Page } from '../../core/fleet/access.ts';
import { createPause } from '../pause.ts';
import type { AuditQueries } from './audit-records.ts';

type Read = <T>(doing: string, act: () => T) => Promise<T>;

/**
 * One page, and how many rows there are in all. Whatever is asked for, the whole trail is gone through, a row for each change and refusal of
 * years: in slices, so that polls are served in between.
 */
export async function listAudit(
  queries: AuditQueries,
  read: Read,
  { limit, offset, ...asked }: AuditQuery,
): Promise<Page<AuditRecord>> {
  const search = await read('read', () => queries.search(asked));
  const pause = createPause();
  const wanted: number[] = [];
  let total = 0;
  for (;;) {
    const found = await read('read', () => search.next());
    if (found === undefined) break;
    wanted.push(...found.slice(Math.max(0, offset - total), Math.max(0, offset + limit - total)));
    total += found.length;
    await pause();
  }
  return { items: await read('read', () => queries.records(wanted)), total };
}
