import type { SecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../core/config.ts';
import type { OperationTable } from '../core/policy/operations.ts';
import type { CheckedPolicies } from '../core/policy/policy-set.ts';
import { createSnapshot, type LoadedTrust, readTrust, type Snapshot } from '../core/snapshot.ts';
import type { Clock } from './clock.ts';
import { loadCrls } from './crl-files.ts';
import type { Loaded } from './reload.ts';
import { inSlices } from './slices.ts';
import { readSnapshotFiles, SHIPPED_POLICY_DIR } from './snapshot-files.ts';
import { createTlsContext, type TlsMaterial } from './tls/secure-context.ts';

export type SnapshotLoader = (generation: number, previous: Snapshot | undefined) => Promise<Loaded>;

/**
 * Everything that can change, read, checked and made into a snapshot and its TLS context; in slices where it takes long, for
 * requests are answered meanwhile, and what has not changed is taken over. `checkedPolicies`: those that need no
 * check. The loader throws StartupError where anything at all is wrong.
 */
export function createLoader(
  config: Config,
  operations: OperationTable,
  clock: Clock,
  checkedPolicies?: CheckedPolicies,
): SnapshotLoader {
  const operationIds = operations.all.map(({ operationId }) => operationId);
  const contextOf = rememberContext();
  let bundles: LoadedTrust | undefined;
  return async (generation, previous) => {
    const sources = await readSnapshotFiles(config, SHIPPED_POLICY_DIR);
    bundles = await inSlices(readTrust(sources, config.spiffeTrustDomain, bundles));
    const { trust } = bundles;
    const crls = await loadCrls({
      directory: config.crlDir,
      policy: config.crlPolicy,
      trust,
      previous: previous?.crls,
      nowMs: clock.now(),
    });
    const { apiMode } = config;
    const snapshot = await inSlices(
      createSnapshot(
        sources,
        { trust, crls },
        { generation, operationIds, apiMode, previous, checkedPolicies },
      ),
    );
    const context = await contextOf({
      certificateChain: sources.serverChain,
      privateKey: sources.serverKey,
      authorities: trust.authorities,
      minVersion: config.tlsMinVersion,
    });
    return { snapshot, context };
  };
}

/** A new CRL or token needs no new context. Not to be called again before it has resolved: reloads follow each other. */
function rememberContext(): (material: TlsMaterial) => Promise<SecureContext> {
  let last: { readonly material: TlsMaterial; readonly context: SecureContext } | undefined;
  return async (material) => {
    if (last === undefined || !isDeepStrictEqual(last.material, material)) {
      last = { material, context: await inSlices(createTlsContext(material)) };
    }
    return last.context;
  };
}
