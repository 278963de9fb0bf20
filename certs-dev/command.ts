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

export interface OperatorOptions extends Omit<CertsDevOptions, 'cluster'> {
  /** An email address: the one name in the certificate. */
  readonly name: string;
  /** The subject's O values. */
  readonly groups: readonly string[];
}

/** Mints an operator's certificate, anew where name or groups are others than before, and says how to use it. */
export async function operatorCommand({ directory, now, out, name, groups }: OperatorOptions): Promise<void> {
  const pki = await ensureDevelopmentPki({ directory, now, operators: [{ name, groups }] });
  const files = pki.operators.get(name);
  if (files === undefined) throw new TypeError(`no certificate was minted for ${name}`);
  for (const file of pki.files) out(describe(file));
  out(`# ${name}, groups: ${groups.length === 0 ? 'none' : groups.join(', ')}`);
  out(`export API_CA_FILE='${pki.serverCaPath}'`);
  out(`export API_CERT_FILE='${files.certificatePath}'`);
  out(`export API_KEY_FILE='${files.keyPath}'`);
}
