import { FLUX_NAMESPACE, IDENTITY_NAME, PART_OF } from './flux.ts';

/** Admission policies, the same for every cluster: Kyverno 1.13 or later. Values are read from the cluster, never written in. */

const PROVIDER = 'fluxcd.controlplane.io/v1/ResourceSetInputProvider';
const enforce = (message: string): object => ({ failureAction: 'Enforce', message });

const isExternal = {
  all: [{ key: '{{ request.object.spec.type }}', operator: 'Equals', value: 'ExternalService' }],
};

export function kyvernoPolicies(): readonly object[] {
  return [
    clusterPolicy('fluxgate-providers', [
      {
        name: 'https-and-certsecretref',
        match: { any: [{ resources: { kinds: [PROVIDER], operations: ['CREATE', 'UPDATE'] } }] },
        preconditions: isExternal,
        validate: {
          ...enforce('An ExternalService is polled over https, with a certSecretRef.'),
          pattern: { spec: { url: 'https://*', certSecretRef: { name: '?*' } } },
        },
      },
      {
        name: 'own-identity-only',
        match: {
          any: [
            {
              resources: {
                kinds: [PROVIDER],
                namespaces: [FLUX_NAMESPACE],
                operations: ['CREATE', 'UPDATE'],
              },
            },
          ],
        },
        context: [{ name: 'identity', configMap: { name: IDENTITY_NAME, namespace: FLUX_NAMESPACE } }],
        preconditions: {
          all: [
            ...isExternal.all,
            {
              key: "{{ contains(request.object.spec.url, '/api/v2/flux/') }}",
              operator: 'Equals',
              value: true,
            },
          ],
        },
        validate: {
          ...enforce('A provider asks for the inputs of this cluster, which cluster-identity names.'),
          deny: {
            conditions: {
              any: [
                {
                  // https:, nothing, the host, api, v2, flux, clusters, the name, the route.
                  key: "{{ split(request.object.spec.url, '/')[7] || '' }}",
                  operator: 'NotEquals',
                  value: '{{ identity.data.CLUSTER_DNS }}',
                },
              ],
            },
          },
        },
      },
      {
        name: 'acknowledgements-over-https',
        match: {
          any: [
            {
              resources: {
                kinds: ['notification.toolkit.fluxcd.io/*/Provider'],
                namespaces: [FLUX_NAMESPACE],
                names: ['fluxgate'],
                operations: ['CREATE', 'UPDATE'],
              },
            },
          ],
        },
        validate: {
          ...enforce('Acknowledgements go over https, with a certSecretRef.'),
          pattern: { spec: { address: 'https://*', certSecretRef: { name: '?*' } } },
        },
      },
    ]),
    clusterPolicy('fluxgate-cluster-identity', [
      {
        name: 'immutable',
        match: {
          any: [
            {
              resources: {
                kinds: ['v1/ConfigMap'],
                namespaces: [FLUX_NAMESPACE],
                names: [IDENTITY_NAME],
                operations: ['UPDATE', 'DELETE'],
              },
            },
          ],
        },
        validate: {
          ...enforce('A cluster keeps its identity: cluster-identity is neither changed nor deleted.'),
          deny: {
            conditions: {
              any: [
                { key: '{{ request.operation }}', operator: 'Equals', value: 'DELETE' },
                {
                  key: '{{ request.object.data || `{}` }}',
                  operator: 'NotEquals',
                  value: '{{ request.oldObject.data || `{}` }}',
                },
                { key: '{{ request.object.immutable || `false` }}', operator: 'Equals', value: false },
              ],
            },
          },
        },
      },
    ]),
  ];
}

function clusterPolicy(name: string, rules: readonly object[]): object {
  return {
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: { name, labels: PART_OF },
    // What a request is and was is known at admission only.
    spec: { background: false, rules },
  };
}
