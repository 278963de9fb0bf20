import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { StartupError } from '../core/errors.ts';
import { reasonOf } from '../core/file-reason.ts';
import { isRecord } from '../core/fleet/canonical.ts';
import { inspectObject } from '../core/fleet/check-object.ts';
import type { Cluster } from '../core/fleet/objects.ts';
import { clusterManifests } from '../core/manifests/cluster-set.ts';
import { type Credential, manifestSettings, type OptionalPart } from '../core/manifests/settings.ts';
import { loadContract } from '../shell/contract.ts';
import { answered } from './api/pages.ts';
import { segment } from './api/path.ts';
import { locatedGateway, openSession } from './api/session.ts';
import type { TerminalContext } from './context.ts';
import type { ManifestOptions } from './manifest-options.ts';
import { shown } from './output/text.ts';

/** A cluster's document has at most this many octets: the bound on a body of the API. */
const DOCUMENT_BYTES_MAX = 1_048_576;

/** Prints what one cluster applies. Nothing is written anywhere, and no secret is read. */
export async function manifests(context: TerminalContext, options: ManifestOptions): Promise<void> {
  const { cluster: id, file } = options;
  const gateway = options.gateway ?? (await locatedGateway(context, options))?.url;
  if (gateway === undefined) {
    throw new StartupError(
      '--gateway: say how clusters reach the gateway: https://HOST or https://HOST:PORT',
    );
  }
  const cluster = await checked(
    file === undefined ? await fromGateway(context, options) : await fromFile(file),
    file ?? `the gateway's cluster ${id}`,
  );
  if (id !== undefined && cluster.id !== id) {
    throw new StartupError(`--cluster ${id}: ${file ?? 'the gateway'} is about ${cluster.id}`);
  }
  const settings = manifestSettings({
    cluster,
    gateway,
    credential: options.credential as Credential,
    issuer: options.issuer,
    caPem: options.gatewayCa === undefined ? undefined : await textOf('--gateway-ca', options.gatewayCa),
    secretStore: options.secretStore,
    secretKey: options.secretKey,
    gatewayNetworks: options.gatewayNetwork,
    without: options.without as readonly OptionalPart[],
  });
  if (isLoopback(gateway)) {
    context.terminal.errors.write(
      `fluxgate: warning: to a cluster, ${shown(gateway)} is the cluster itself: say how clusters reach the gateway, --gateway https://HOST\n`,
    );
  }
  context.print(clusterManifests(settings).trimEnd());
}

/** RFC 6761; an address is refused, for clusters go by a name. */
const isLoopback = (url: string): boolean => /^(?:.+\.)?localhost$/.test(new URL(url).hostname);

async function fromGateway(context: TerminalContext, options: ManifestOptions): Promise<unknown> {
  const { cluster: id } = options;
  if (id === undefined)
    throw new StartupError('say which cluster: --cluster ID, or --file FILE with its document');
  const { send } = await openSession(context, options);
  return (await answered(send, { path: `/clusters/${segment(id)}` })).body;
}

async function fromFile(path: string): Promise<unknown> {
  const text = await textOf('--file', path);
  try {
    // Aliases could make gigabytes of a few lines, and no document needs one.
    return parse(text, { maxAliasCount: 0, uniqueKeys: true, prettyErrors: false });
  } catch (error) {
    throw new StartupError(`--file: ${path}: ${notADocument(error)}`, error);
  }
}

function notADocument(error: unknown): string {
  if (error instanceof YAMLParseError && error.code === 'MULTIPLE_DOCS') {
    return "holds several documents: give one cluster's, such as export writes";
  }
  return error instanceof Error ? error.message : String(error);
}

async function textOf(flag: string, path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length <= DOCUMENT_BYTES_MAX) return text;
  } catch (error) {
    throw new StartupError(`${flag}: ${resolve(path)} ${reasonOf(error)}`, error);
  }
  throw new StartupError(`${flag}: ${path} is larger than ${DOCUMENT_BYTES_MAX} octets`);
}

/** By the rules that every write is held to: what is printed is applied by whoever may do anything in the cluster. */
async function checked(document: unknown, where: string): Promise<Cluster> {
  if (!isRecord(document)) throw new StartupError(`${where}: holds no cluster`);
  const { schemas } = await loadContract();
  const outcome = inspectObject('cluster', schemas, document);
  if (outcome.ok) return outcome.object;
  const lines = outcome.problems.map(({ field, problem }) => `  ${field}: ${problem}`);
  throw new StartupError([`${where}: is not a valid cluster`, ...lines].join('\n'));
}
