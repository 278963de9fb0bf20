/**
 * The fleet that `npm start` puts into an empty store: a seed like any other, small enough to read, with one example of
 * each thing that a cluster can say. The development PKI has a certificate for each of these clusters.
 */
export const DEMO_SEED = Object.freeze({
  platform_components: [
    {
      id: 'cert-manager',
      component_path: 'core/cert-manager',
      component_version: '1.18.2',
      cluster_env_enabled: false,
      oci_url: 'https://charts.jetstack.io',
      oci_tag: 'v1.18.2',
      depends_on: [],
    },
    {
      id: 'traefik',
      component_path: 'ingress/traefik',
      component_version: '37.1.1',
      cluster_env_enabled: true,
      oci_url: 'oci://ghcr.io/traefik/helm/traefik',
      oci_tag: '37.1.1',
      depends_on: ['cert-manager'],
    },
    {
      id: 'metrics-server',
      component_path: 'core/metrics-server',
      component_version: '3.13.0',
      cluster_env_enabled: false,
      oci_url: 'https://kubernetes-sigs.github.io/metrics-server',
      oci_tag: '3.13.0',
      depends_on: [],
    },
    {
      id: 'podinfo',
      component_path: 'apps/podinfo',
      component_version: '6.9.1',
      cluster_env_enabled: true,
      oci_url: 'oci://ghcr.io/stefanprodan/charts/podinfo',
      oci_tag: '6.9.1',
      depends_on: ['traefik'],
    },
  ],
  namespaces: [
    {
      id: 'cert-manager',
      labels: { 'app.kubernetes.io/part-of': 'platform', 'pod-security.kubernetes.io/enforce': 'restricted' },
      annotations: { 'example.com/owner': 'platform team' },
    },
    {
      id: 'traefik',
      labels: { 'app.kubernetes.io/part-of': 'platform', 'pod-security.kubernetes.io/enforce': 'baseline' },
      annotations: { 'example.com/owner': 'platform team' },
    },
    {
      id: 'podinfo',
      labels: { 'app.kubernetes.io/part-of': 'apps', 'pod-security.kubernetes.io/enforce': 'restricted' },
      annotations: { 'example.com/owner': 'web team', 'example.com/contact': 'web@example.com' },
    },
  ],
  rolebindings: [
    {
      id: 'platform-admins',
      role: 'cluster-admin',
      subjects: [{ kind: 'Group', name: 'oidc:platform-admins', apiGroup: 'rbac.authorization.k8s.io' }],
    },
    {
      id: 'web-team-edit',
      role: 'edit',
      subjects: [
        { kind: 'Group', name: 'oidc:web-team', apiGroup: 'rbac.authorization.k8s.io' },
        { kind: 'ServiceAccount', name: 'deployer', namespace: 'podinfo' },
      ],
    },
    {
      id: 'developers-view',
      role: 'view',
      subjects: [{ kind: 'Group', name: 'oidc:developers', apiGroup: 'rbac.authorization.k8s.io' }],
    },
  ],
  clusters: [
    {
      id: 'demo-cluster-01',
      cluster_name: 'demo-cluster-01',
      cluster_dns: 'demo-cluster-01.k8s.example.com',
      environment: 'dev',
      node_count: 3,
      vm_image: 'ubuntu-24.04',
      k0s_version: 'v1.34.1+k0s.0',
      // The development cluster tries the next version before the catalogue moves to it.
      platform_components: [
        { id: 'cert-manager', enabled: true },
        { id: 'traefik', enabled: true },
        { id: 'metrics-server', enabled: true },
        { id: 'podinfo', enabled: true, oci_tag: '6.9.2', component_path: 'apps/podinfo-next' },
      ],
      namespaces: [{ id: 'cert-manager' }, { id: 'traefik' }, { id: 'podinfo' }],
      rolebindings: [{ id: 'platform-admins' }, { id: 'web-team-edit' }, { id: 'developers-view' }],
      patches: {
        podinfo: { replicaCount: '1', 'ui.color': '#2f855a', 'ui.message': 'Hello from dev' },
        traefik: { 'deployment.replicas': '1' },
      },
    },
    {
      id: 'demo-cluster-02',
      cluster_name: 'demo-cluster-02',
      cluster_dns: 'demo-cluster-02.k8s.example.com',
      environment: 'qa',
      node_count: 5,
      vm_image: 'ubuntu-24.04',
      k0s_version: 'v1.34.1+k0s.0',
      // Disabled is not the same as unassigned: Flux is told, and the entry keeps its place.
      platform_components: [
        { id: 'cert-manager', enabled: true },
        { id: 'traefik', enabled: true },
        { id: 'metrics-server', enabled: false },
        { id: 'podinfo', enabled: true },
      ],
      namespaces: [{ id: 'cert-manager' }, { id: 'traefik' }, { id: 'podinfo' }],
      rolebindings: [{ id: 'platform-admins' }, { id: 'web-team-edit' }],
      patches: { podinfo: { replicaCount: '2', 'ui.message': 'Hello from qa' } },
    },
    {
      id: 'demo-cluster-03',
      cluster_name: 'demo-cluster-03',
      cluster_dns: 'demo-cluster-03.k8s.example.com',
      environment: 'prod',
      node_count: 12,
      vm_image: 'ubuntu-24.04',
      k0s_version: 'v1.33.4+k0s.0',
      platform_components: [
        { id: 'cert-manager', enabled: true, oci_tag: 'v1.17.4' },
        { id: 'traefik', enabled: true },
        { id: 'metrics-server', enabled: true },
      ],
      namespaces: [{ id: 'cert-manager' }, { id: 'traefik' }],
      rolebindings: [{ id: 'platform-admins' }],
      patches: { traefik: { 'deployment.replicas': '3', 'service.type': 'LoadBalancer' } },
    },
  ],
} as const);
