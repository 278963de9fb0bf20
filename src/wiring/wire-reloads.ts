import { watchCrls } from '../shell/crl-watch.ts';
import type { SnapshotLoader } from '../shell/load-snapshot.ts';
import { createRefusedLately } from '../shell/refused-lately.ts';
import { createReloader, type Reloader } from '../shell/reload.ts';
import type { Listener } from '../shell/tls/listener.ts';
import type { State } from './open-state.ts';

/** From changed files to what is in force, and who is told. */
export function wireReloads(
  load: SnapshotLoader,
  listener: Listener,
  { trust, crlIssuers, loads, health, metrics, audit, sightings, clock, log }: State,
  resources: AsyncDisposableStack,
): Reloader {
  const crlWatch = watchCrls(() => trust.snapshot.crls, clock, log);
  resources.defer(() => crlWatch.stop());
  const refusedLately = createRefusedLately(sightings.presentations, clock, log);
  resources.defer(() => refusedLately.stop());
  return createReloader({
    load,
    current: () => trust.snapshot,
    swap(next) {
      listener.useContext(next.context);
      trust.replace(next.snapshot);
      loads.loaded();
    },
    retire() {
      crlWatch.look();
      return listener.retire((socket) => trust.verdictOf(socket)?.accepted === false);
    },
    reloaded(before) {
      void crlIssuers.keep(trust.snapshot.crls);
      refusedLately.look(before, trust.snapshot);
    },
    health,
    metrics,
    audit,
    log,
  });
}
