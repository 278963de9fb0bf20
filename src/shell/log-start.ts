import type { AddressInfo } from 'node:net';
import type { Config } from '../core/config.ts';
import { trustWarnings } from '../core/identity/trust.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { AdminListener } from './admin.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { parseDatabaseUrl } from './store/database-url.ts';

/** The line that says what is served and by what it is judged, after whatever is worth a warning. */
export function logStart(
  config: Config,
  snapshot: Snapshot,
  clock: Clock,
  log: Log,
  {
    address,
    admin,
    clusters,
  }: {
    readonly address: AddressInfo;
    readonly admin: AdminListener | undefined;
    readonly clusters: number;
  },
): void {
  for (const warning of [...snapshot.warnings, ...trustWarnings(snapshot.trust, clock.now())])
    log.warn(warning);
  const location = parseDatabaseUrl(config.databaseUrl);
  const line = {
    address: `${address.address}:${address.port}`,
    admin: admin === undefined ? 'off' : `${admin.address.address}:${admin.address.port}`,
    api_mode: config.apiMode,
    client_cert: config.clientCert,
    store: location.memory ? config.databaseUrl : location.path,
    clusters,
    generation: snapshot.generation,
    server: snapshot.serverCertificate,
    anchors: snapshot.trust.describe(),
    crls: snapshot.crls.describe(),
    tokens: snapshot.tokens.ids,
    oidc_issuer: config.oidc?.issuer,
    operator_networks: config.operatorNetworks.ranges,
    trusted_proxies: config.trustedProxies?.ranges ?? [],
  };
  log.info(line, 'serving');
}
