import { FLUX_NAMESPACE, PART_OF, SECRETS } from './flux.ts';
import { type ManifestSettings, quoted } from './settings.ts';

/** How the cluster shows who it is. No manifest ever holds a token or a private key. */
export function credentials(settings: ManifestSettings): readonly object[] {
  if (settings.credential === 'certificate') return [certificate(settings)];
  const ca = authority(settings);
  return settings.credential === 'token' ? [ca] : [ca, externalSecret(settings)];
}

const named = (name: string): object => ({ name, namespace: FLUX_NAMESPACE, labels: PART_OF });

/** Exactly one DNS name and `client auth`, which is what the gateway wants; no common name. */
function certificate({ cluster, issuer }: ManifestSettings): object {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: named(SECRETS.certificate),
    spec: {
      secretName: SECRETS.certificate,
      duration: '2160h',
      renewBefore: '720h',
      privateKey: { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Always' },
      usages: ['digital signature', 'client auth'],
      dnsNames: [quoted(cluster.cluster_dns)],
      issuerRef: { group: issuer.group, kind: issuer.kind, name: quoted(issuer.name) },
    },
  };
}

function authority({ caPem = '' }: ManifestSettings): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: named(SECRETS.authority),
    type: 'Opaque',
    stringData: { 'ca.crt': caPem },
  };
}

/** The templates in it are External Secrets' own, and hold no value from outside. */
function externalSecret({ secretStore, secretKey }: ManifestSettings): object {
  return {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata: named(SECRETS.token),
    spec: {
      refreshInterval: '1h',
      secretStoreRef: { kind: secretStore.kind, name: quoted(secretStore.name) },
      target: {
        name: SECRETS.token,
        creationPolicy: 'Owner',
        template: {
          engineVersion: 'v2',
          data: { token: '{{ .token }}', headers: 'Authorization: Bearer {{ .token }}' },
        },
      },
      data: [{ secretKey: 'token', remoteRef: { key: quoted(secretKey), property: 'token' } }],
    },
  };
}
