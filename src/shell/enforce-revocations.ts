import type { RevocationList } from '../core/identity/revocation-list.ts';
import type { LiveTrust } from './live-trust.ts';
import type { Listener } from './tls/listener.ts';

/** Ends the connections of those who are revoked by what is new in the list, and nobody else's. */
export async function enforceRevocations(
  list: RevocationList,
  trust: LiveTrust,
  listener: Listener,
  ended: (revocationId: string) => void,
): Promise<void> {
  const before = trust.snapshot.revocations.ids;
  trust.revoke(list);
  await listener.retire((socket) => {
    const verdict = trust.verdictOf(socket);
    const id = verdict?.accepted === false ? verdict.refusal.revocationId : undefined;
    if (id === undefined || before.has(id)) return false;
    ended(id);
    return true;
  });
}
