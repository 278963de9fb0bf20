import { DEMO_CLUSTERS, type DevelopmentFile, ensureDevelopmentPki } from './development-pki.ts';
import { kubernetesSecret } from './kubernetes-secret.ts';

export interface CertsDevOptions {
  readonly directory: string;
  /** Canonical DNS name; its certificate is minted too if it is none of the demo clusters. Default: the first of these. */
  readonly cluster?: string;
  readonly out: (line: string) => void;
  readonly now: Date;
}

function describe({ name, change, reason, notAfter }: DevelopmentFile): string {
  const until = notAfter === undefined ? '' : `  until ${notAfter.toISOString().slice(0, 10)}`;
  const why = reason === undefined ? '' : `  (${reason})`;
  return `# ${change.padEnd(7)}  ${name}${until}${why}`;
}

/**
 * Everything but the Secret is a YAML comment, so that the whole output can be piped into `kubectl apply -f -`.
 */
export async function certsDevCommand(options: CertsDevOptions): Promise<void> {
  const { directory, now, out } = options;
  const dns = options.cluster ?? DEMO_CLUSTERS[0] ?? '';
  const pki = await ensureDevelopmentPki({ directory, now, clusters: [dns] });
  const files = pki.clusters.get(dns);
  if (files === undefined) throw new TypeError(`no certificate was minted for ${dns}`);
  out(`# Development PKI in ${directory}: for development only, its CA keys lie beside its certificates.`);
  for (const file of pki.files) out(describe(file));
  out('#');
  out(`# The Secret for certSecretRef of cluster ${dns}:`);
  const { chainPem, keyPem } = files;
  out(kubernetesSecret({ serverCaPem: pki.serverCaPem, chainPem, keyPem }).trimEnd());
}
