import type { ManifestSettings } from './settings.ts';
import { quoted } from './settings.ts';
import { COMPONENTS_TEMPLATE, NAMESPACES_TEMPLATE, ROLEBINDINGS_TEMPLATE } from './templates.ts';

export const FLUX_NAMESPACE = 'flux-system';
export const IDENTITY_NAME = 'cluster-identity';
export const PART_OF = Object.freeze({ 'app.kubernetes.io/part-of': 'fluxgate' });

/** The Secrets that the set refers to. */
export const SECRETS = Object.freeze({
  /** ca.crt, tls.crt, tls.key, as cert-manager writes it. */
  certificate: 'api-client-cert',
  /** ca.crt, for clusters that have a token. */
  authority: 'fluxgate-ca',
  /** `token` for the providers, `headers` for notification-controller. */
  token: 'fluxgate-token',
});

/** What `spec.filter.limit` is when the cluster's document does not say, as in Flux Operator. */
const FILTER_LIMIT = 100;
const FLUX_OPERATOR = 'fluxcd.controlplane.io/v1';

const TEMPLATES = Object.freeze({
  namespaces: NAMESPACES_TEMPLATE,
  rolebindings: ROLEBINDINGS_TEMPLATE,
  'platform-components': COMPONENTS_TEMPLATE,
});
type Route = keyof typeof TEMPLATES;
const ROUTES = Object.keys(TEMPLATES) as Route[];

const named = (name: string): object => ({ name, namespace: FLUX_NAMESPACE, labels: PART_OF });

export function identity({ cluster }: ManifestSettings): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: named(IDENTITY_NAME),
    immutable: true,
    data: {
      CLUSTER_NAME: quoted(cluster.cluster_name),
      CLUSTER_DNS: quoted(cluster.cluster_dns),
      ENVIRONMENT: quoted(cluster.environment),
    },
  };
}

/** `certSecretRef`, always, and the token beside it where the certificate is not the credential. */
export function credentialOf({ credential }: ManifestSettings): object {
  if (credential === 'certificate') return { certSecretRef: { name: SECRETS.certificate } };
  return { certSecretRef: { name: SECRETS.authority }, secretRef: { name: SECRETS.token } };
}

export const clusterUrl = ({ origin, cluster }: ManifestSettings): string =>
  `${origin}/api/v2/flux/clusters/${cluster.cluster_dns}`;

export function providers(settings: ManifestSettings): readonly object[] {
  return ROUTES.map((route) => ({
    apiVersion: FLUX_OPERATOR,
    kind: 'ResourceSetInputProvider',
    metadata: { ...named(route), annotations: { 'fluxcd.controlplane.io/reconcileEvery': '10m' } },
    spec: {
      type: 'ExternalService',
      url: quoted(`${clusterUrl(settings)}/${route}`),
      ...credentialOf(settings),
      filter: { limit: settings.cluster.filter_limit ?? FILTER_LIMIT },
    },
  }));
}

/**
 * A provider that was made anew has no inputs until its first poll, and a set without inputs deletes all that it had made. So each set
 * waits for what its provider exported last; whether the last poll worked does not matter, for its inputs stay.
 */
const EXPORTED = 'has(status.lastExportedRevision) && status.lastExportedRevision != ""';

export function resourceSets(): readonly object[] {
  return ROUTES.map((route) => ({
    apiVersion: FLUX_OPERATOR,
    kind: 'ResourceSet',
    metadata: { ...named(route), annotations: { 'fluxcd.controlplane.io/reconcileEvery': '30m' } },
    spec: {
      dependsOn: [
        { ...dependency('ResourceSetInputProvider', route), readyExpr: EXPORTED },
        // What a namespace demands of pods has to be there before they are.
        ...(route === 'platform-components' ? [dependency('ResourceSet', 'namespaces')] : []),
      ],
      inputsFrom: [{ apiVersion: FLUX_OPERATOR, kind: 'ResourceSetInputProvider', name: route }],
      resourcesTemplate: TEMPLATES[route],
    },
  }));
}

function dependency(kind: string, name: string): object {
  return { apiVersion: FLUX_OPERATOR, kind, name, namespace: FLUX_NAMESPACE, ready: true };
}

/**
 * Tells the gateway what became of what it served. Only of objects in flux-system that the sets made: an event's message quotes what it is
 * about, and tenants' objects are not the gateway's business.
 */
export function notifications(settings: ManifestSettings): readonly object[] {
  const sources = ['OCIRepository', 'HelmRepository', 'Kustomization', 'HelmRelease'];
  return [
    {
      apiVersion: 'notification.toolkit.fluxcd.io/v1beta3',
      kind: 'Provider',
      metadata: named('fluxgate'),
      spec: {
        type: 'generic',
        address: quoted(`${clusterUrl(settings)}/events`),
        ...credentialOf(settings),
      },
    },
    {
      apiVersion: 'notification.toolkit.fluxcd.io/v1beta3',
      kind: 'Alert',
      metadata: named('fluxgate'),
      spec: {
        providerRef: { name: 'fluxgate' },
        eventSeverity: 'info',
        eventSources: sources.map((kind) => ({
          kind,
          name: '*',
          namespace: FLUX_NAMESPACE,
          matchLabels: PART_OF,
        })),
      },
    },
  ];
}
