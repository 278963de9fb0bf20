import type { Clock } from '../../clock.ts';
import type { LiveTrust } from '../../live-trust.ts';
import type { Store } from '../../store/store.ts';
import type { Siblings } from '../../workers/siblings.ts';
import { type Assets, loadAssets } from './assets.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createStreams, type Streams } from './streams.ts';

/** What the status page is made of besides its views. */
export interface Page {
  readonly assets: Assets;
  readonly sessions: Sessions;
  readonly streams: Streams;
}

export async function openPage(
  store: Pick<Store, 'endedSessions' | 'history'>,
  {
    trust,
    clock,
    siblings,
  }: { readonly trust: LiveTrust; readonly clock: Clock; readonly siblings: Siblings },
): Promise<Page> {
  return {
    assets: await loadAssets(),
    sessions: createSessions({ trust, clock, ended: store.endedSessions }),
    streams: createStreams({
      clock,
      trust,
      siblings,
      revision: async () => (await store.history.range()).newest,
    }),
  };
}

/** The routes of the page, and whatever somebody looks for among them. */
export const isPagePath = (path: string): boolean => path === '/ui' || path.startsWith('/ui/');
