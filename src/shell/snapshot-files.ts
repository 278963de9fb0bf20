import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config, TokenSource } from '../core/config.ts';
import { StartupError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { NamedText, SnapshotSources } from '../core/snapshot.ts';
import type { WatchedPaths } from './watch.ts';

export const SHIPPED_POLICY_DIR = fileURLToPath(new URL('../../policy/', import.meta.url));

/** Reads everything that a snapshot is made of. Throws StartupError naming the variable, the path and what is wrong. */
export async function readSnapshotFiles(config: Config, shippedPolicyDir: string): Promise<SnapshotSources> {
  const bundle = (path: string, variable: string): Promise<string> =>
    readTextFile(path, variable, LIMITS.bundleBytesMax);
  const [
    serverChainPem,
    serverKeyPem,
    clusterCaPem,
    operatorCaPem,
    observedCaPem,
    readTokens,
    writeTokens,
    oidcJwks,
    policies,
  ] = await Promise.all([
    bundle(config.tlsCertFile, 'TLS_CERT_FILE'),
    bundle(config.tlsKeyFile, 'TLS_KEY_FILE'),
    bundle(config.clusterCaFile, 'CLUSTER_CA_FILE'),
    config.operatorCaFile === undefined ? undefined : bundle(config.operatorCaFile, 'OPERATOR_CA_FILE'),
    config.clusterCaObserveFile === undefined
      ? undefined
      : bundle(config.clusterCaObserveFile, 'CLUSTER_CA_OBSERVE_FILE'),
    readTokenSource(config.readTokens, 'AUTH_TOKEN'),
    config.writeTokens === undefined ? undefined : readTokenSource(config.writeTokens, 'CRUD_AUTH_TOKEN'),
    config.oidc?.keys.from === 'file'
      ? readTextFile(config.oidc.keys.file, 'OIDC_JWKS_FILE', LIMITS.jwksBytesMax)
      : undefined,
    readPolicies(config.policyDir ?? shippedPolicyDir),
  ]);
  return {
    serverChainPem,
    serverKeyPem,
    clusterCaPem,
    operatorCaPem,
    observedCaPem,
    readTokens,
    writeTokens,
    oidcJwks,
    ...policies,
  };
}

/** Everything whose change means a reload. */
export function watchedPaths(config: Config, shippedPolicyDir: string): WatchedPaths {
  const files = [
    config.tlsCertFile,
    config.tlsKeyFile,
    config.clusterCaFile,
    config.operatorCaFile,
    config.clusterCaObserveFile,
    config.readTokens.file,
    config.writeTokens?.file,
    config.oidc?.keys.from === 'file' ? config.oidc.keys.file : undefined,
  ].filter((path) => path !== undefined);
  const crls = config.crlDir === undefined ? [] : [config.crlDir];
  return { files, directories: [config.policyDir ?? shippedPolicyDir, ...crls] };
}

/** `what` names the variable in the error. */
export async function readTextFile(path: string, what: string, octetsMax: number): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > octetsMax) throw new StartupError(`${what}: ${path} is larger than ${octetsMax} octets`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'EACCES'
          ? 'may not be read by this user'
          : `cannot be read (${code})`;
    throw new StartupError(`${what}: ${path} ${why}`, error);
  }
}

async function readTokenSource(source: TokenSource, variable: string): Promise<readonly NamedText[]> {
  const texts: NamedText[] = [];
  if (source.inline !== undefined) texts.push({ name: variable, text: source.inline });
  if (source.file !== undefined) {
    const name = `${variable}_FILE`;
    texts.push({ name, text: await readTextFile(source.file, name, LIMITS.tokenFileBytesMax) });
  }
  return texts;
}

export async function readPolicies(
  directory: string,
): Promise<Pick<SnapshotSources, 'policySchema' | 'policies'>> {
  let names: string[];
  try {
    names = (await readdir(directory)).sort();
  } catch (error) {
    throw new StartupError(`POLICY_DIR: ${directory} cannot be listed`, error);
  }
  const read = (name: string): Promise<string> =>
    readTextFile(join(directory, name), 'POLICY_DIR', LIMITS.bundleBytesMax);
  const policies: Record<string, string> = {};
  for (const name of names) {
    if (name.endsWith('.cedar')) policies[name] = await read(name);
  }
  return { policySchema: await read('fluxgate.cedarschema'), policies };
}
