import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { Cluster } from '../../src/core/fleet/objects.ts';
import { clusterManifests } from '../../src/core/manifests/cluster-set.ts';
import { type ManifestRequest, manifestSettings } from '../../src/core/manifests/settings.ts';
import { sampleCluster } from './fleet.ts';
import { type Input, renderTemplate } from './go-template.ts';
import { PROJECT } from './spawned.ts';

/** A Kubernetes object. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has another one
  readonly spec?: any;
  readonly [key: string]: unknown;
}

export const readManifests = (text: string, version: '1.1' | '1.2' = '1.1'): readonly Manifest[] =>
  parseAllDocuments(text, { version, uniqueKeys: true, strict: true, merge: false }).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const value = document.toJS({ maxAliasCount: 0 }) as Manifest | null;
    return value === null ? [] : [value];
  });

export const find = (objects: readonly Manifest[], kind: string, name: string): Manifest => {
  const found = objects.filter((one) => one.kind === kind && one.metadata.name === name);
  if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} of ${kind} ${name}`);
  return found[0];
};

export const EXAMPLE_CA = join(PROJECT, 'deploy/cluster/example-ca.crt');

export function manifestsOf(cluster: Partial<Cluster> = {}, request: Partial<ManifestRequest> = {}): string {
  const credential = request.credential ?? 'certificate';
  return clusterManifests(
    manifestSettings({
      cluster: sampleCluster('east', cluster),
      gateway: 'https://fluxgate.example.com',
      credential,
      issuer: 'ClusterIssuer/fluxgate-cluster',
      caPem: credential === 'certificate' ? undefined : readFileSync(EXAMPLE_CA, 'utf8'),
      secretStore: 'ClusterSecretStore/fluxgate',
      gatewayNetworks: [],
      without: [],
      ...request,
    }),
  );
}

/** What Flux Operator makes of a ResourceSet and its inputs, ResourceSets among it included: they are rendered in their turn. */
export function reconcile(set: Manifest, inputs: readonly Input[]): readonly Manifest[] {
  const provider = { apiVersion: 'fluxcd.controlplane.io/v1', kind: 'x', name: 'y', namespace: 'z' };
  return inputs.flatMap((input) => {
    const text = renderTemplate(set.spec.resourcesTemplate as string, { ...input, provider });
    return readManifests(text)
      .filter(({ metadata }) => metadata.annotations?.['fluxcd.controlplane.io/reconcile'] !== 'disabled')
      .flatMap((one) =>
        one.kind === 'ResourceSet' ? [one, ...reconcile(one, one.spec.inputs as Input[])] : [one],
      );
  });
}

/** Helm's reader of `--set` and `targetPath`, as far as a value reaches (strvals: a backslash makes the next sign text). */
export function helmValue(text: string): string | undefined {
  if (text.startsWith('{')) return undefined;
  const [whole, value = ''] = /^((?:\\[\s\S]|[^\\,])*)$/.exec(text) ?? [];
  return whole === undefined ? undefined : value.replaceAll(/\\([\s\S])/g, '$1');
}

export const exampleCluster = (): Cluster => ({
  ...sampleCluster('x'),
  ...(parse(readFileSync(join(PROJECT, 'deploy/cluster/example.yaml'), 'utf8')) as Partial<Cluster>),
});
