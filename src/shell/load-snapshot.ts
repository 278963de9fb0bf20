import { fileURLToPath } from 'node:url';
import type { Config } from '../core/config.ts';
import type { OperationTable } from '../core/policy/operations.ts';
import { createSnapshot, readTrust, type Snapshot } from '../core/snapshot.ts';
import type { Clock } from './clock.ts';
import { inSlices, loadCrls } from './crl-files.ts';
import type { Loaded } from './reload.ts';
import { readSnapshotFiles } from './snapshot-files.ts';
import { createTlsContext } from './tls/secure-context.ts';

export const SHIPPED_POLICY_DIR = fileURLToPath(new URL('../../policy/', import.meta.url));

/**
 * Everything that can change, read, checked and made into a snapshot and its TLS context; in slices where it takes long, for
 * requests are answered meanwhile. Throws StartupError where anything at all is wrong.
 */
export async function loadSnapshot(
  config: Config,
  operations: OperationTable,
  generation: number,
  previous: Snapshot | undefined,
  clock: Clock,
): Promise<Loaded> {
  const sources = await readSnapshotFiles(config, SHIPPED_POLICY_DIR);
  const trust = await inSlices(readTrust(sources, config.spiffeTrustDomain));
  const crls = await loadCrls({
    directory: config.crlDir,
    policy: config.crlPolicy,
    trust,
    previous: previous?.crls,
    nowMs: clock.now(),
  });
  const snapshot = createSnapshot(
    sources,
    { trust, crls },
    {
      generation,
      operationIds: operations.all.map(({ operationId }) => operationId),
      apiMode: config.apiMode,
      previous,
    },
  );
  const context = createTlsContext({
    certificateChainPem: snapshot.serverChainPem,
    privateKeyPem: snapshot.serverKeyPem,
    authorities: snapshot.trust.authorities,
    minVersion: config.tlsMinVersion,
  });
  return { snapshot, context };
}
