import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chainPem, type Minted, mint } from '../../certs-dev/mint.ts';
import * as roles from '../../certs-dev/mint-roles.ts';
import type { DemoIdentity } from './demo-fleet-client.ts';

/** A throw-away PKI for the tour: an old and a new cluster CA, so that there is something to rotate. */
export interface DemoPki {
  readonly serverCaPem: string;
  readonly operator: DemoIdentity;
  /** A cluster's certificate under the old or the new CA. */
  cluster(dns: string, ca: 'old' | 'new'): Promise<DemoIdentity>;
  /** Replaces CLUSTER_CA_FILE, as a rotated Secret would. */
  trust(...cas: readonly ('old' | 'new')[]): Promise<void>;
  readonly environment: Readonly<Record<string, string>>;
}

export async function mintDemoPki(directory: string): Promise<DemoPki> {
  const serverCa = await mint(roles.caRequest('demo server CA'));
  const server = await mint(roles.serverRequest(['localhost', '127.0.0.1'], serverCa));
  const cas = {
    old: await mint(roles.caRequest('demo cluster CA, old')),
    new: await mint(roles.caRequest('demo cluster CA, new')),
  };
  const operatorCa = await mint(roles.caRequest('demo operator CA'));
  const operator = await mint(roles.operatorRequest('operator@example.com', ['platform-team'], operatorCa));
  const put = async (name: string, text: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const identity = (minted: Minted): DemoIdentity => ({ chainPem: chainPem(minted), keyPem: minted.keyPem });
  return {
    serverCaPem: serverCa.pem,
    operator: identity(operator),
    cluster: async (dns, ca) => identity(await mint(roles.clusterRequest(dns, cas[ca]))),
    trust: async (...names) => {
      await put('cluster-ca.crt', names.map((name) => cas[name].pem).join(''));
    },
    environment: {
      TLS_CERT_FILE: await put('server.crt', chainPem(server)),
      TLS_KEY_FILE: await put('server.key', server.keyPem),
      CLUSTER_CA_FILE: await put('cluster-ca.crt', cas.old.pem),
      OPERATOR_CA_FILE: await put('operator-ca.crt', operatorCa.pem),
    },
  };
}
