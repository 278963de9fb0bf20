import { printable } from './identity/printable.ts';
import type { Snapshot } from './snapshot.ts';

/** What a reload changed, in lines for people: what came, with when it will expire, and what went. */
export interface SnapshotChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export function describeChange(before: Snapshot, after: Snapshot): SnapshotChange {
  const was = new Set(inventory(before));
  const is = new Set(inventory(after));
  return {
    added: [...is].filter((line) => !was.has(line)),
    removed: [...was].filter((line) => !is.has(line)),
  };
}

/** Each thing that a snapshot holds, once, named so that two equal lines are the same thing. */
function inventory(snapshot: Snapshot): readonly string[] {
  const { trust, crls, tokens, policy } = snapshot;
  return [
    snapshot.serverCertificate,
    ...trust.describe(),
    ...crls.describe(),
    ...(snapshot.oidcKeys?.keys ?? []).map(({ kid }) => `OIDC key ${printable(String(kid), 80)}`),
    ...tokens.ids.map((id) => `token ${id}`),
    ...policy.policyIds.map((id) => `policy ${id}`),
    `policies sha256 ${snapshot.policyDigest.slice(0, 16)}`,
  ];
}
