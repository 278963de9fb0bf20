import { createHash, X509Certificate } from 'node:crypto';
import { StartupError } from './errors.ts';
import type { CrlSet } from './identity/crl-set.ts';
import { type KeySet, readKeySet } from './identity/jwks.ts';
import { derivePageKeys, type PageKeys } from './identity/page-session.ts';
import type { TrustState } from './identity/plan.ts';
import { combineRevocation, type RevocationCheck } from './identity/revocation.ts';
import { NO_REVOCATIONS, type RevocationList } from './identity/revocation-list.ts';
import { createTokenSet, isGuessable, parseTokens, type TokenSet } from './identity/token.ts';
import { NO_TOKENS, type TokenList } from './identity/token-list.ts';
import { createTrust, readBundleInSteps, type Trust } from './identity/trust.ts';
import { LIMITS } from './limits.ts';
import { createPolicyEngineInSteps, type PolicyEngine } from './policy/decide.ts';
import type { CheckedPolicies } from './policy/policy-set.ts';

/** Everything that can change while the gateway runs, as the bytes that were read. */
export interface SnapshotSources {
  readonly serverChain: NamedText;
  readonly serverKey: NamedText;
  readonly clusterCa: NamedText;
  readonly operatorCa: NamedText | undefined;
  readonly observedCa?: NamedText | undefined;
  /** Texts with one token a line. */
  readonly readTokens: readonly NamedText[];
  /** undefined: none was configured, so the read tokens may write. */
  readonly writeTokens: readonly NamedText[] | undefined;
  /** OIDC_JWKS_FILE */
  readonly oidcJwks?: NamedText | undefined;
  readonly policySchema: NamedText;
  /** Name → text. */
  readonly policies: Readonly<Record<string, string>>;
}

/** A text with where it came from, for complaints: the variable and, of a file, its path. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** One frozen state of trust: certificates, tokens and policies change together or not at all. */
export interface Snapshot {
  readonly generation: number;
  readonly serverChainPem: string;
  /** Subject, fingerprint and expiry of the server's own certificate, for people. */
  readonly serverCertificate: string;
  readonly trust: Trust;
  /** What the CAs' own lists revoke. */
  readonly crls: CrlSet;
  /** What operators revoked. Comes from the store, not from files: a snapshot made of files has none yet. */
  readonly revocations: RevocationList;
  readonly tokens: TokenSet;
  /** Tokens that were made here. Like `revocations`, they come from the store. */
  readonly tokenRecords: TokenList;
  /** For the cookies and forms of the status page. */
  readonly pageKeys: PageKeys;
  /** Of OIDC_JWKS_FILE. */
  readonly oidcKeys: KeySet | undefined;
  readonly policy: PolicyEngine;
  /** SHA-256 over schema and policies, hex. */
  readonly policyDigest: string;
  /** What an operator should know at start, one line each. */
  readonly warnings: readonly string[];
}

export interface SnapshotOptions {
  readonly generation: number;
  readonly operationIds: readonly string[];
  readonly apiMode: 'read-only' | 'crud';
  /** The snapshot in force: where the policies are the same, so is their engine, for validating them takes a while. */
  readonly previous?: Snapshot | undefined;
  /** `policiesDigest` of policies that passed all checks before. */
  readonly checkedPolicies?: CheckedPolicies | undefined;
}

/** The CA bundles, with what they were read from. */
export interface LoadedTrust {
  readonly trust: Trust;
  /** SHA-256 over everything that `trust` is made of, hex. */
  readonly digest: string;
}

/** Throws StartupError; yields between certificates, for a bundle may hold thousands. What has not changed is not read again. */
export function* readTrust(
  sources: SnapshotSources,
  spiffeTrustDomain: string | undefined,
  previous: LoadedTrust | undefined,
): Generator<void, LoadedTrust> {
  const { clusterCa, operatorCa, observedCa } = sources;
  const parts = [clusterCa, operatorCa ?? null, observedCa ?? null, spiffeTrustDomain ?? null];
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  if (previous?.digest === digest) return previous;
  const { cluster, operator, observed } = previous?.trust ?? {};
  const known = new Map(
    [cluster, operator, observed].flatMap((bundle) =>
      (bundle?.certificates ?? []).map((facts) => [facts.sha256, facts] as const),
    ),
  );
  const read = ({ text, name }: NamedText, variable: string) =>
    readBundleInSteps(text, variable, name, known);
  const trust = createTrust({
    cluster: yield* read(clusterCa, 'CLUSTER_CA_FILE'),
    operator: operatorCa && (yield* read(operatorCa, 'OPERATOR_CA_FILE')),
    observed: observedCa && (yield* read(observedCa, 'CLUSTER_CA_OBSERVE_FILE')),
    spiffeTrustDomain,
  });
  return Object.freeze({ trust, digest });
}

/** What takes long to read and check, and is therefore made beforehand, in slices. */
export interface SnapshotMaterial {
  readonly trust: Trust;
  /** Verified against this very `trust`. */
  readonly crls: CrlSet;
}

/** Throws StartupError where anything at all is wrong; there is no snapshot that is partly right. */
export function* createSnapshot(
  sources: SnapshotSources,
  material: SnapshotMaterial,
  options: SnapshotOptions,
): Generator<void, Snapshot> {
  const read = sources.readTokens.flatMap(({ text, name }) => parseTokens(text, name));
  const write = sources.writeTokens?.flatMap(({ text, name }) => parseTokens(text, name));
  const policyDigest = createHash('sha256')
    .update(JSON.stringify([sources.policySchema, sources.policies]))
    .digest('hex');
  const { previous } = options;
  const policy =
    previous?.policyDigest === policyDigest
      ? previous.policy
      : yield* createPolicyEngineInSteps({
          schemaText: sources.policySchema.text,
          schemaFile: sources.policySchema.name,
          policies: sources.policies,
          operationIds: options.operationIds,
          generation: options.generation,
          checked: options.checkedPolicies,
        });
  const warnings = [...sources.readTokens, ...(sources.writeTokens ?? [])]
    .filter(({ text, name }) => parseTokens(text, name).some(isGuessable))
    .map(
      ({ name }) =>
        `${name}: a token of fewer than ${LIMITS.tokenCharactersAdvised} characters can be guessed; openssl rand -hex 32 makes a better one`,
    );
  if (write === undefined && read.length > 0 && options.apiMode === 'crud') {
    warnings.push('CRUD_AUTH_TOKEN is not set: the read token may change the fleet');
  }
  return Object.freeze({
    generation: options.generation,
    serverChainPem: sources.serverChain.text,
    serverCertificate: describeServer(sources.serverChain),
    trust: material.trust,
    crls: material.crls,
    revocations: NO_REVOCATIONS,
    tokens: createTokenSet(read, write ?? (options.apiMode === 'crud' ? read : [])),
    tokenRecords: NO_TOKENS,
    pageKeys: derivePageKeys(sources.serverKey.text),
    oidcKeys:
      sources.oidcJwks === undefined ? undefined : readKeySet(sources.oidcJwks.text, sources.oidcJwks.name),
    policy,
    policyDigest,
    warnings: Object.freeze(warnings),
  });
}

function describeServer({ text, name }: NamedText): string {
  try {
    const { subject, fingerprint256, validTo } = new X509Certificate(text);
    const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase().slice(0, 16);
    return `TLS_CERT_FILE: "${subject.replaceAll('\n', ', ')}" (sha256 ${fingerprint}…) until ${validTo}`;
  } catch (error) {
    throw new StartupError(`${name} holds no readable PEM certificate`, error);
  }
}

/** What a certificate is judged by. */
export function trustStateOf(snapshot: Pick<Snapshot, 'trust' | 'revocations' | 'crls'>): TrustState {
  const { trust, revocations } = snapshot;
  return { trust, revocation: revocationOf(snapshot), revokedClusters: revocations };
}

/** Everything that revokes certificates. Operators first: an attempt against what both revoke is counted as theirs. */
export function revocationOf(snapshot: Pick<Snapshot, 'revocations' | 'crls'>): RevocationCheck {
  return combineRevocation([snapshot.revocations, snapshot.crls]);
}
