import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../core/config.ts';
import type { TokenSource } from '../core/config-values.ts';
import { StartupError } from '../core/errors.ts';
import { printable } from '../core/identity/printable.ts';
import { LIMITS } from '../core/limits.ts';
import { SCHEMA_FILE } from '../core/policy/schema-file.ts';
import type { NamedText, SnapshotSources } from '../core/snapshot.ts';
import { readRegularFile, UnreadableFile } from './read-file.ts';
import type { WatchedPaths } from './watch.ts';

export const SHIPPED_POLICY_DIR = fileURLToPath(new URL('../../policy/', import.meta.url));

/** Of a path, as Linux has it. */
const PATH_MAX = 4_096;

/** Reads everything that a snapshot is made of. Throws StartupError: a line for each file that cannot be read, with its variable, path and what is wrong. */
export async function readSnapshotFiles(config: Config, shippedPolicyDir: string): Promise<SnapshotSources> {
  const bundle = (path: string, variable: string): Promise<NamedText> =>
    readText(path, variable, LIMITS.bundleBytesMax);
  const optional = async (path: string | undefined, variable: string): Promise<NamedText | undefined> =>
    path === undefined ? undefined : await bundle(path, variable);
  const reads = [
    bundle(config.tlsCertFile, 'TLS_CERT_FILE'),
    bundle(config.tlsKeyFile, 'TLS_KEY_FILE'),
    bundle(config.clusterCaFile, 'CLUSTER_CA_FILE'),
    optional(config.operatorCaFile, 'OPERATOR_CA_FILE'),
    optional(config.clusterCaObserveFile, 'CLUSTER_CA_OBSERVE_FILE'),
    readTokenSource(config.readTokens, 'AUTH_TOKEN'),
    config.writeTokens === undefined ? undefined : readTokenSource(config.writeTokens, 'CRUD_AUTH_TOKEN'),
    config.oidc?.keys.from === 'file'
      ? readText(config.oidc.keys.file, 'OIDC_JWKS_FILE', LIMITS.jwksBytesMax)
      : undefined,
    readPolicies(config.policyDir ?? shippedPolicyDir),
  ] as const;
  refuseUnreadable(await Promise.allSettled(reads));
  const [
    serverChain,
    serverKey,
    clusterCa,
    operatorCa,
    observedCa,
    readTokens,
    writeTokens,
    oidcJwks,
    policies,
  ] = await Promise.all(reads);
  return {
    serverChain,
    serverKey,
    clusterCa,
    operatorCa,
    observedCa,
    readTokens,
    writeTokens,
    oidcJwks,
    ...policies,
  };
}

function refuseUnreadable(reads: readonly PromiseSettledResult<unknown>[]): void {
  const faults: unknown[] = reads.flatMap((read) => (read.status === 'rejected' ? [read.reason] : []));
  if (faults.length === 0) return;
  if (!faults.every((fault) => fault instanceof StartupError)) {
    throw faults.find((fault) => !(fault instanceof StartupError));
  }
  throw new StartupError(faults.map(({ message }) => message).join('\n'), faults[0]);
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

/** Of a file that is read again and again; `variable` and path are the name of what is in it, in every complaint. */
export async function readText(path: string, variable: string, octetsMax: number): Promise<NamedText> {
  const name = `${variable}: ${printable(path, PATH_MAX)}`;
  try {
    return { name, text: (await readRegularFile(path, octetsMax)).toString('utf8') };
  } catch (error) {
    if (error instanceof UnreadableFile) throw new StartupError(`${name} ${error.message}`, error);
    throw error;
  }
}

async function readTokenSource(source: TokenSource, variable: string): Promise<readonly NamedText[]> {
  const texts: NamedText[] = [];
  if (source.inline !== undefined) texts.push({ name: variable, text: source.inline });
  if (source.file !== undefined) {
    texts.push(await readText(source.file, `${variable}_FILE`, LIMITS.tokenFileBytesMax));
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
  const read = (name: string): Promise<NamedText> =>
    readText(join(directory, name), 'POLICY_DIR', LIMITS.bundleBytesMax);
  const policies: Record<string, string> = {};
  for (const file of names.filter((name) => name.endsWith('.cedar'))) {
    const { name, text } = await read(file);
    policies[name] = text;
  }
  return { policySchema: await read(SCHEMA_FILE), policies };
}
