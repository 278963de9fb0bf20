import { FLUX_NAMESPACE, PART_OF } from './flux.ts';
import { type ManifestSettings, quoted } from './settings.ts';

/**
 * What leaves flux-system. A NetworkPolicy knows addresses and ports, not names: registries and the API server can be anywhere. What is
 * always kept from Flux is what it never needs: every other port, and the addresses at which clouds hand out credentials.
 */

const LINK_LOCAL = Object.freeze([
  { ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } },
  { ipBlock: { cidr: '::/0', except: ['fe80::/10', 'fd00:ec2::/32'] } },
]);

const tcp = (port: number): object => ({ protocol: 'TCP', port });

export function networkPolicies({ port, gatewayNetworks }: ManifestSettings): readonly object[] {
  const gateway =
    gatewayNetworks.length === 0
      ? LINK_LOCAL
      : gatewayNetworks.map((cidr) => ({ ipBlock: { cidr: quoted(cidr) } }));
  return [
    policy('fluxgate-egress', {}, [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
            podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
          },
        ],
        ports: [{ protocol: 'UDP', port: 53 }, tcp(53)],
      },
      { to: [{ podSelector: {} }] },
      { to: LINK_LOCAL, ports: [tcp(443), tcp(6443)] },
    ]),
    // Who polls, and who reports.
    policy('fluxgate-egress-operator', { 'app.kubernetes.io/name': 'flux-operator' }, [
      { to: gateway, ports: [tcp(port)] },
    ]),
    policy('fluxgate-egress-notifications', { app: 'notification-controller' }, [
      { to: gateway, ports: [tcp(port)] },
    ]),
  ];
}

function policy(name: string, pods: Readonly<Record<string, string>>, egress: readonly object[]): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: FLUX_NAMESPACE, labels: PART_OF },
    spec: {
      podSelector: Object.keys(pods).length === 0 ? {} : { matchLabels: pods },
      policyTypes: ['Egress'],
      egress,
    },
  };
}
