import { X509Certificate } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { Scalar } from 'yaml';
import { StartupError } from '../errors.ts';
import type { Cluster } from '../fleet/objects.ts';
import { isCanonicalDnsName } from '../identity/names.ts';
import { readPemCertificates } from '../identity/pem.ts';

/** What a cluster's manifests are made of; every value that comes from outside is checked here, once. */

export const CREDENTIALS = Object.freeze(['certificate', 'token', 'external-secret'] as const);
export type Credential = (typeof CREDENTIALS)[number];

/** What can be left out, for clusters that have not what it needs. */
export const OPTIONAL_PARTS = Object.freeze(['kyverno', 'network-policies', 'notifications'] as const);
export type OptionalPart = (typeof OPTIONAL_PARTS)[number];

/** As the command line gives it. */
export interface ManifestRequest {
  readonly cluster: Cluster;
  /** `https://HOST[:PORT]`, as clusters reach the gateway. */
  readonly gateway: string;
  readonly credential: Credential;
  /** `[GROUP/]KIND/NAME` of what signs the cluster's certificate. */
  readonly issuer: string;
  /** Certificates that the gateway's chain ends in; only where no certificate of the cluster's own brings them. */
  readonly caPem?: string | undefined;
  /** `KIND/NAME` of External Secrets' store. */
  readonly secretStore: string;
  /** Where in that store the token is; absent: `fluxgate/CLUSTER`. */
  readonly secretKey?: string | undefined;
  /** CIDRs that the gateway is in; none: anywhere. */
  readonly gatewayNetworks: readonly string[];
  readonly without: readonly OptionalPart[];
}

export interface ObjectReference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

export interface ManifestSettings {
  readonly cluster: Cluster;
  /** `https://HOST[:PORT]`, without a slash at the end. */
  readonly origin: string;
  readonly port: number;
  readonly credential: Credential;
  readonly issuer: ObjectReference;
  readonly caPem: string | undefined;
  readonly secretStore: ObjectReference;
  readonly secretKey: string;
  readonly gatewayNetworks: readonly string[];
  readonly without: ReadonlySet<OptionalPart>;
}

const HTTPS_PORT = 443;
const DNS_LABELS = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const KIND = /^[A-Z][A-Za-z0-9]{0,62}$/;
const NAME_OCTETS_MAX = 253;

/** Throws StartupError naming the flag that is wrong. */
export function manifestSettings(request: ManifestRequest): ManifestSettings {
  const { cluster, credential, caPem } = request;
  const { origin, port } = gatewayOrigin(request.gateway);
  if (credential === 'certificate' && caPem !== undefined) {
    throw new StartupError(
      '--gateway-ca: with a certificate the Secret brings its own ca.crt, which cert-manager writes: let the gateway’s ' +
        'certificate and the clusters’ issuer have one root, or choose --credential token',
    );
  }
  if (credential !== 'certificate' && caPem === undefined) {
    throw new StartupError('--gateway-ca: give the certificates that the gateway’s chain ends in, PEM');
  }
  return Object.freeze({
    cluster,
    origin,
    port,
    credential,
    issuer: reference('--issuer', request.issuer, 'cert-manager.io'),
    caPem: caPem === undefined ? undefined : certificatesOnly(caPem),
    secretStore: reference('--secret-store', request.secretStore, 'external-secrets.io'),
    secretKey: request.secretKey ?? `fluxgate/${cluster.id}`,
    gatewayNetworks: request.gatewayNetworks.map(network),
    without: new Set(request.without),
  });
}

function gatewayOrigin(text: string): { readonly origin: string; readonly port: number } {
  const [, host = '', port] = /^https:\/\/([a-z0-9.-]+)(?::(\d{1,5}))?\/?$/.exec(text) ?? [];
  const number = port === undefined ? HTTPS_PORT : Number(port);
  if (!isCanonicalDnsName(host) || number < 1 || number > 65_535) {
    throw new StartupError(
      '--gateway: say how clusters reach the gateway: https://HOST or https://HOST:PORT',
    );
  }
  return { origin: `https://${host}${port === undefined ? '' : `:${number}`}`, port: number };
}

function reference(flag: string, text: string, defaultGroup: string): ObjectReference {
  const parts = text.split('/');
  const [name = '', kind = '', group = defaultGroup] = parts.toReversed();
  const named = [name, group].every((part) => DNS_LABELS.test(part) && part.length <= NAME_OCTETS_MAX);
  if (parts.length > 3 || !named || !KIND.test(kind)) {
    throw new StartupError(`${flag}: say which: KIND/NAME, or GROUP/KIND/NAME`);
  }
  return { group, kind, name };
}

function network(text: string): string {
  if (!ipaddr.isValidCIDR(text))
    throw new StartupError(`--gateway-network: ${JSON.stringify(text)} is no CIDR`);
  return text;
}

/** A private key that got into the file gets no further; nor does text that would stand in the Secret. */
function certificatesOnly(pem: string): string {
  const certificates = readPemCertificates(pem, '--gateway-ca');
  if (certificates.length === 0) throw new StartupError('--gateway-ca: holds no certificate');
  for (const [index, der] of certificates.entries()) refuseLeaf(certificateIn(der, index + 1));
  return certificates
    .map((der) =>
      Buffer.from(der)
        .toString('base64')
        .replaceAll(/(.{64})(?=.)/g, '$1\n'),
    )
    .map((base64) => `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`)
    .join('');
}

function certificateIn(der: Uint8Array, block: number): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    throw new StartupError(`--gateway-ca: block ${block} is no certificate`, error);
  }
}

/** A chain may end in a server's own certificate, which has signed itself, but in nobody else's that is no CA. */
function refuseLeaf({ ca, subject, issuer }: X509Certificate): void {
  if (ca || subject === issuer) return;
  const name = JSON.stringify(subject.replaceAll('\n', ', '));
  throw new StartupError(
    `--gateway-ca: ${name} is no CA: give the one that the gateway's certificate is under`,
  );
}

/**
 * A value from outside, as YAML of every version reads it back: Kubernetes reads 1.1, where a plain `yes` or `1:30` is no text.
 */
export function quoted(text: string): Scalar<string> {
  const scalar = new Scalar(text);
  scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}
