/**
 * The PKI that `npm start` and the demo run on: minted once, renewed when due, otherwise left byte for byte.
 * For development only: its CA keys lie beside its certificates.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartupError } from '../src/core/errors.ts';
import { isCanonicalDnsName } from '../src/core/identity/names.ts';
import { adopt, adoptKey } from './adopt.ts';
import { chainPem, type Minted, type MintRequest, mint } from './mint.ts';
import type { KeyPair } from './mint-keys.ts';
import * as roles from './mint-roles.ts';
import { writeFileAtomically } from './write-file-atomically.ts';

export const DEMO_CLUSTERS: readonly string[] = Object.freeze([
  'demo-cluster-01.k8s.example.com',
  'demo-cluster-02.k8s.example.com',
  'demo-cluster-03.k8s.example.com',
]);
export const DEMO_OPERATOR = Object.freeze({ email: 'operator@example.com', groups: ['platform-team'] });

export type FileChange = 'minted' | 'renewed' | 'kept';

export interface DevelopmentFile {
  /** Relative to the directory, with `/`. */
  readonly name: string;
  readonly path: string;
  readonly change: FileChange;
  /** Why it is not kept. */
  readonly reason?: string;
  /** Of the first certificate in it; absent for a key. */
  readonly notAfter?: Date;
}

export interface CertificateFiles {
  readonly certificatePath: string;
  readonly keyPath: string;
  /** What the peer presents: the certificate and its intermediate. */
  readonly chainPem: string;
  readonly keyPem: string;
}

export interface DevelopmentPki {
  readonly directory: string;
  readonly serverCaPath: string;
  /** What clients must trust: `ca.crt` of the Kubernetes Secret. */
  readonly serverCaPem: string;
  readonly clusterCaPath: string;
  readonly operatorCaPath: string;
  readonly server: CertificateFiles;
  readonly operator: CertificateFiles;
  /** By cluster DNS name: the demo clusters, and the ones asked for besides. */
  readonly clusters: ReadonlyMap<string, CertificateFiles>;
  /** By name: the ones asked for. */
  readonly operators: ReadonlyMap<string, CertificateFiles>;
  readonly files: readonly DevelopmentFile[];
}

export interface DevelopmentPkiOptions {
  readonly directory: string;
  readonly now: Date;
  /** One line for each file that is not kept. */
  readonly log?: (line: string) => void;
  /** Clusters besides the demo ones: under `clusters/`, named by their DNS name. */
  readonly clusters?: readonly string[];
  /** Operators besides the one that is always there: under `operators/`, named by their name. */
  readonly operators?: readonly DevelopmentOperator[];
}

export interface DevelopmentOperator {
  readonly name: string;
  readonly groups: readonly string[];
}

const SERVER_NAMES = Object.freeze(['localhost', '127.0.0.1', '::1']);
const KEY_MODE = 0o600;
const CERTIFICATE_MODE = 0o644;

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new StartupError(`the development PKI cannot read ${path}`, error);
  }
}

/** In the last third of its life, past it, or not begun. */
function ageProblem({ notBefore, notAfter }: Minted, now: Date): string | undefined {
  const dueAt = notAfter.getTime() - (notAfter.getTime() - notBefore.getTime()) / 3;
  if (now >= notAfter) return 'it expired';
  if (now.getTime() >= dueAt) return 'it is in the last third of its life';
  if (now < notBefore) return 'it is not valid yet';
  return undefined;
}

/** One run over the directory: what is kept, what is minted, and then what is written. */
class DevelopmentDirectory {
  readonly files: DevelopmentFile[] = [];
  readonly #reasons = new Map<Minted, string>();
  readonly #directory: string;
  readonly #now: Date;
  /** Every certificate of this run begins with it. */
  readonly notBefore: { readonly notBefore: Date };

  constructor(directory: string, now: Date) {
    this.#directory = directory;
    this.#now = now;
    this.notBefore = { notBefore: roles.defaultNotBefore(now) };
  }

  path(name: string): string {
    return join(this.#directory, ...name.split('/'));
  }

  /** `position`: which certificate of the file is meant. */
  async obtain(
    certificateName: string,
    keyName: string,
    request: MintRequest,
    position = 0,
  ): Promise<Minted> {
    const bundle = await readIfThere(this.path(certificateName));
    const keyPem = await readIfThere(this.path(keyName));
    const pem = bundle?.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g)?.[position];
    if (pem === undefined || keyPem === undefined) {
      const keys = keyPem === undefined ? undefined : adoptKey(keyPem);
      return this.#mint(request, pem === undefined ? 'there was no certificate' : 'there was no key', keys);
    }
    const found = adopt(pem, keyPem, request);
    if (!found.usable) return this.#mint(request, found.problem, found.keys);
    const problem = ageProblem(found.minted, this.#now);
    return problem === undefined ? found.minted : this.#mint(request, problem, found.minted.keys);
  }

  async #mint(request: MintRequest, reason: string, oldKeys: KeyPair | undefined): Promise<Minted> {
    const ca = request.basicConstraints?.ca === true;
    const minted = await mint({
      ...request,
      // A CA keeps its key, so that what it issued stays good; a leaf gets a new one, as from cert-manager.
      ...(ca && oldKeys !== undefined ? { reuseKeyOf: { keys: oldKeys } } : {}),
    });
    this.#reasons.set(minted, reason);
    return minted;
  }

  /** The key first: should we die in between, the next run sees that the two do not match, and mints again. */
  async write(certificateName: string, keyName: string, minted: Minted, content: string): Promise<void> {
    await this.writeKey(keyName, minted);
    const above = minted.issuer !== undefined && this.#reasons.has(minted.issuer);
    const reason =
      this.#reasons.get(minted) ?? (above ? 'its issuer was renewed' : 'it holds something else');
    await this.#writeIfChanged(certificateName, content, CERTIFICATE_MODE, reason, minted.notAfter);
  }

  async writeKey(name: string, minted: Minted): Promise<void> {
    const reason = this.#reasons.get(minted) ?? 'it holds something else';
    await this.#writeIfChanged(name, minted.keyPem, KEY_MODE, reason);
  }

  async #writeIfChanged(
    name: string,
    content: string,
    mode: number,
    reason: string,
    notAfter?: Date,
  ): Promise<void> {
    const path = this.path(name);
    const before = await readIfThere(path);
    const change = before === content ? 'kept' : before === undefined ? 'minted' : 'renewed';
    if (change !== 'kept') {
      await mkdir(dirname(path), { recursive: true });
      await writeFileAtomically(path, content, mode);
    }
    this.files.push({
      name,
      path,
      change,
      ...(change === 'renewed' ? { reason } : {}),
      ...(notAfter === undefined ? {} : { notAfter }),
    });
  }

  certificateFiles(certificateName: string, keyName: string, minted: Minted): CertificateFiles {
    return Object.freeze({
      certificatePath: this.path(certificateName),
      keyPath: this.path(keyName),
      chainPem: chainPem(minted),
      keyPem: minted.keyPem,
    });
  }

  async leaf(base: string, request: MintRequest): Promise<CertificateFiles> {
    const names = [`${base}.crt`, `${base}.key`] as const;
    const minted = await this.obtain(...names, request);
    await this.write(...names, minted, chainPem(minted));
    return this.certificateFiles(...names, minted);
  }

  async ca(base: string, request: MintRequest): Promise<Minted> {
    const names = [`${base}.crt`, `${base}.key`] as const;
    const minted = await this.obtain(...names, request);
    await this.write(...names, minted, minted.pem);
    return minted;
  }
}

function clusterFileBase(dns: string): string {
  if (DEMO_CLUSTERS.includes(dns)) return dns.slice(0, dns.indexOf('.'));
  // Nothing that could leave the directory, and nothing that the gateway would not take for a cluster's name.
  if (!isCanonicalDnsName(dns)) {
    throw new StartupError(`not a cluster's DNS name (lower case, no trailing dot): ${JSON.stringify(dns)}`);
  }
  // A folder of its own: a cluster named "server" must not replace the server's certificate.
  return `clusters/${dns}`;
}

function operatorFileBase(name: string): string {
  // One name, and nothing that could leave the directory.
  if (!/^[a-zA-Z0-9](?:[-\w.+]*[a-zA-Z0-9])?@[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/.test(name)) {
    throw new StartupError(`not an operator's name (an email address): ${JSON.stringify(name)}`);
  }
  return `operators/${name}`;
}

/** Root and intermediate share one file, as a gateway's CLUSTER_CA_FILE may. */
async function clusterCa(directory: DevelopmentDirectory): Promise<Minted> {
  const { notBefore } = directory;
  const rootNames = ['cluster-ca.crt', 'cluster-ca.key'] as const;
  const root = await directory.obtain(
    ...rootNames,
    roles.caRequest('Fluxgate development cluster CA', notBefore),
  );
  const issuingKey = 'cluster-issuing-ca.key';
  const intermediate = await directory.obtain(
    'cluster-ca.crt',
    issuingKey,
    roles.intermediateRequest('Fluxgate development cluster issuing CA', root, notBefore),
    1,
  );
  await directory.writeKey(issuingKey, intermediate);
  await directory.write(...rootNames, root, root.pem + intermediate.pem);
  return intermediate;
}

export async function ensureDevelopmentPki(options: DevelopmentPkiOptions): Promise<DevelopmentPki> {
  const names = new Set([...DEMO_CLUSTERS, ...(options.clusters ?? [])]);
  const bases = [...names].map((dns) => [dns, clusterFileBase(dns)] as const);
  const directory = new DevelopmentDirectory(options.directory, options.now);

  const { notBefore } = directory;

  const serverCa = await directory.ca(
    'server-ca',
    roles.caRequest('Fluxgate development server CA', notBefore),
  );
  const server = await directory.leaf('server', roles.serverRequest(SERVER_NAMES, serverCa, notBefore));

  const intermediate = await clusterCa(directory);
  const clusters = new Map<string, CertificateFiles>();
  for (const [dns, base] of bases) {
    clusters.set(dns, await directory.leaf(base, roles.clusterRequest(dns, intermediate, notBefore)));
  }

  const operatorCa = await directory.ca(
    'operator-ca',
    roles.caRequest('Fluxgate development operator CA', notBefore),
  );
  const { email, groups } = DEMO_OPERATOR;
  const operator = await directory.leaf(
    'operator',
    roles.operatorRequest(email, groups, operatorCa, notBefore),
  );

  const operators = new Map<string, CertificateFiles>();
  for (const { name, groups: of } of options.operators ?? []) {
    const request = roles.operatorRequest(name, of, operatorCa, notBefore);
    operators.set(name, await directory.leaf(operatorFileBase(name), request));
  }

  for (const { change, path, reason } of directory.files) {
    if (change !== 'kept') options.log?.(`${change} ${path}${reason === undefined ? '' : `: ${reason}`}`);
  }
  return Object.freeze({
    directory: options.directory,
    serverCaPath: directory.path('server-ca.crt'),
    serverCaPem: serverCa.pem,
    clusterCaPath: directory.path('cluster-ca.crt'),
    operatorCaPath: directory.path('operator-ca.crt'),
    server,
    operator,
    operators,
    clusters,
    files: Object.freeze(directory.files),
  });
}
