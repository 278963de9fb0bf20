/** A whole PKI for one test, minted in some 30 ms: all P-256. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  chainPem,
  type Minted,
  mintCa,
  mintClusterCertificate,
  mintIntermediate,
  mintOperatorCertificate,
  mintServerCertificate,
} from '../../certs-dev/mint.ts';
import type { Overrides } from '../../certs-dev/mint-roles.ts';

/** What a client presents. */
export interface MintedChain extends Minted {
  /** The certificate and all above it, without the self-signed root. */
  readonly chainPem: string;
}

export interface TestPkiOptions {
  readonly clusterRoot?: Overrides;
  readonly clusterIntermediate?: Overrides;
  readonly operatorRoot?: Overrides;
  readonly serverCa?: Overrides;
  readonly server?: Overrides;
  /** Default: localhost, 127.0.0.1, ::1. */
  readonly serverNames?: readonly string[];
}

/** Paths, and the environment that a gateway takes them by. */
export interface WrittenPki {
  readonly environment: {
    readonly TLS_CERT_FILE: string;
    readonly TLS_KEY_FILE: string;
    readonly CLUSTER_CA_FILE: string;
    readonly OPERATOR_CA_FILE: string;
  };
  /** For clients. */
  readonly serverCaFile: string;
}

export interface TestPki {
  readonly clusterRoot: Minted;
  readonly clusterIntermediate: Minted;
  readonly operatorRoot: Minted;
  readonly serverCa: Minted;
  readonly server: MintedChain;
  /** Root and intermediate. */
  readonly clusterBundlePem: string;
  readonly operatorBundlePem: string;
  /** Issued by the intermediate unless `overrides.issuer` says otherwise. */
  cluster(dns: string, overrides?: Overrides): Promise<MintedChain>;
  /** Issued by the operator root unless `overrides.issuer` says otherwise. */
  operator(name: string, groups?: readonly string[], overrides?: Overrides): Promise<MintedChain>;
  /** server.crt, server.key, server-ca.crt, cluster-ca.crt, operator-ca.crt. */
  write(directory: string): Promise<WrittenPki>;
}

export function withChain(minted: Minted): MintedChain {
  return Object.freeze({ ...minted, chainPem: chainPem(minted) });
}

async function writePki(pki: TestPki, directory: string): Promise<WrittenPki> {
  await mkdir(directory, { recursive: true });
  const put = async (name: string, content: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, content, { mode: name.endsWith('.key') ? 0o600 : 0o644 });
    return path;
  };
  return Object.freeze({
    environment: Object.freeze({
      // On a machine of many cores as on one of few; tests that want more workers say so.
      WORKERS: '1',
      TLS_CERT_FILE: await put('server.crt', pki.server.chainPem),
      TLS_KEY_FILE: await put('server.key', pki.server.keyPem),
      CLUSTER_CA_FILE: await put('cluster-ca.crt', pki.clusterBundlePem),
      OPERATOR_CA_FILE: await put('operator-ca.crt', pki.operatorBundlePem),
    }),
    serverCaFile: await put('server-ca.crt', pki.serverCa.pem),
  });
}

export async function createTestPki(options: TestPkiOptions = {}): Promise<TestPki> {
  const clusterRoot = await mintCa('test cluster root', options.clusterRoot);
  const clusterIntermediate = await mintIntermediate(
    'test cluster intermediate',
    clusterRoot,
    options.clusterIntermediate,
  );
  const operatorRoot = await mintCa('test operator root', options.operatorRoot);
  const serverCa = await mintCa('test server CA', options.serverCa);
  const serverNames = options.serverNames ?? ['localhost', '127.0.0.1', '::1'];
  const server = withChain(await mintServerCertificate(serverNames, serverCa, options.server));
  const pki: TestPki = {
    clusterRoot,
    clusterIntermediate,
    operatorRoot,
    serverCa,
    server,
    clusterBundlePem: clusterRoot.pem + clusterIntermediate.pem,
    operatorBundlePem: operatorRoot.pem,
    cluster: async (dns, overrides) =>
      withChain(await mintClusterCertificate(dns, clusterIntermediate, overrides)),
    operator: async (name, groups = [], overrides) =>
      withChain(
        await mintOperatorCertificate(name, groups, operatorRoot, {
          ...(name.includes('@') ? {} : { subjectAltNames: [{ type: 'dns', value: name }] }),
          ...overrides,
        }),
      ),
    write: (directory) => writePki(pki, directory),
  };
  return Object.freeze(pki);
}
