import { stringify } from 'yaml';

export interface KubernetesSecretOptions {
  /** The name in the contract's example of a ResourceSetInputProvider. */
  readonly name?: string;
  readonly namespace?: string;
  /** Who signed the gateway's server certificate. */
  readonly serverCaPem: string;
  /** Leaf, then its intermediates. */
  readonly chainPem: string;
  readonly keyPem: string;
}

/** The YAML of the Secret for `certSecretRef`, laid out as cert-manager does: it holds a private key. */
export function kubernetesSecret(options: KubernetesSecretOptions): string {
  const { name = 'api-client-cert', namespace = 'flux-system' } = options;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/tls',
    data: {
      'ca.crt': base64(options.serverCaPem),
      'tls.crt': base64(options.chainPem),
      'tls.key': base64(options.keyPem),
    },
  });
}
