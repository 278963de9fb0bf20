/** A fleet of any size as a seed: `components` components in the catalogue, all of them in each cluster. */

/** Of one length for up to ten million clusters, so that a certificate of one becomes another's by overwriting. */
export const dnsOf = (number: number): string => `cluster-${String(number).padStart(7, '0')}.example.com`;
export const idOf = (number: number): string => `cluster-${number}`;

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
      id: idOf(number),
      cluster_name: idOf(number),
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
