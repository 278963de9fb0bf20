import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A fleet of any size as a seed file: `components` components in the catalogue, all of them in each cluster. */

export const dnsOf = (number: number): string => `cluster-${number}.example.com`;

export function fleetSeed(clusters: number, components: number): object {
  const catalogue = Array.from({ length: components }, (_, number) => ({
    id: `component-${number}`,
    component_path: `platform/component-${number}`,
    component_version: `1.${number}.0`,
    cluster_env_enabled: number % 2 === 0,
    oci_url: `oci://registry.example.com/platform/component-${number}`,
    oci_tag: `v1.${number}.0`,
    depends_on: number === 0 ? [] : ['component-0'],
  }));
  return {
    platform_components: catalogue,
    namespaces: [{ id: 'platform', labels: { team: 'platform' }, annotations: {} }],
    rolebindings: [],
    clusters: Array.from({ length: clusters }, (_, number) => ({
      id: `cluster-${number}`,
      cluster_name: `cluster-${number}`,
      cluster_dns: dnsOf(number),
      environment: (['dev', 'qa', 'uat', 'prod'] as const)[number % 4],
      platform_components: catalogue.map(({ id }) => ({
        id,
        enabled: true,
        oci_tag: null,
        component_path: null,
      })),
      namespaces: [{ id: 'platform' }],
      rolebindings: [],
      patches: { 'component-1': { replicas: String((number % 5) + 1) } },
    })),
  };
}

/** Resolves with the seed file's path. */
export async function writeSeed(directory: string, clusters: number, components: number): Promise<string> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, `seed-${clusters}.json`);
  await writeFile(file, JSON.stringify(fleetSeed(clusters, components)));
  return file;
}
