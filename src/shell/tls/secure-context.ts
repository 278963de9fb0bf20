import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { StartupError } from '../../core/errors.ts';
import type { NamedText } from '../../core/snapshot.ts';

/** What the TLS layer presents and trusts; `authorities` is every certificate of both client bundles, PEM. */
export interface TlsMaterial {
  readonly certificateChain: NamedText;
  readonly privateKey: NamedText;
  readonly authorities: readonly string[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** Post-quantum hybrids first; P-256 for Flux' FIPS builds, which offer no plain X25519. */
const GROUPS = 'X25519MLKEM768:SecP256r1MLKEM768:P-256:X25519:P-384';

/** AES-GCM only: what FIPS clients offer, and in TLS 1.2 only with ephemeral ECDH (contract: TLS_MIN_VERSION). */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':');

/**
 * The one place that spells out TLS: an omitted option means Node's default, and an omitted `ca` means the public roots.
 * No tickets and no session cache: a resumed session would skip the client certificate (nginx CVE-2025-23419). That TLS 1.3 sends
 * tickets all the same, which are good for nothing, only `openssl.cnf` beside this can end.
 */
export function contextOptions(material: TlsMaterial, authority: string): SecureContextOptions {
  return {
    cert: material.certificateChain.text,
    key: material.privateKey.text,
    ca: [authority],
    minVersion: material.minVersion,
    maxVersion: 'TLSv1.3',
    ecdhCurve: GROUPS,
    ciphers: CIPHERS,
    honorCipherOrder: true,
    secureOptions:
      constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
    // An anchor may be an intermediate CA (contract §4); our own verifier says which certificates are anchors.
    allowPartialTrustChain: true,
  };
}

/**
 * Throws StartupError where the certificate, its key or the authorities do not make a working context. Yields between
 * authorities: OpenSSL sorts its whole store for each, so that a thousand in one go are 70 ms in which nobody is answered.
 */
export function* createTlsContext(material: TlsMaterial): Generator<void, SecureContext> {
  const [first, ...others] = material.authorities;
  if (first === undefined) {
    throw new StartupError('no client CA: without one, the public roots of Node would be trusted');
  }
  checkKeyPair(material);
  const context = createContext(material, first);
  const authorities = authoritiesOf(context);
  checkAuthority(first, 0);
  for (const [index, authority] of others.entries()) {
    yield;
    checkAuthority(authority, index + 1);
    authorities.addCACert(authority);
  }
  return context;
}

function createContext(material: TlsMaterial, authority: string): SecureContext {
  try {
    return createSecureContext(contextOptions(material, authority));
  } catch (error) {
    const { certificateChain, privateKey } = material;
    throw new StartupError(
      `${certificateChain.name} and ${privateKey.name}: OpenSSL refuses them (${describe(error)})`,
      error,
    );
  }
}

interface Authorities {
  /** PEM → the certificates that a chain may end in, and the names that clients are told. */
  addCACert(pem: string): void;
}

/**
 * The native part of the context, to which Node itself adds `ca` one by one: docs/decisions/partial-chains.md. Should a later
 * Node keep it elsewhere, this refuses to start rather than trust less than configured.
 */
export function authoritiesOf(context: SecureContext): Authorities {
  const native: unknown = context.context;
  if (typeof (native as Partial<Authorities> | undefined)?.addCACert === 'function')
    return native as Authorities;
  throw new StartupError('this version of Node adds CAs to a TLS context elsewhere; run the pinned version');
}

/** What OpenSSL cannot read, `addCACert` passes over in silence. */
function checkAuthority(pem: string, index: number): void {
  try {
    new X509Certificate(pem);
  } catch (error) {
    const which = `client CA ${index + 1} of the bundles`;
    throw new StartupError(`OpenSSL cannot read ${which} (${describe(error)})`, error);
  }
}

function checkKeyPair({ certificateChain, privateKey }: TlsMaterial): void {
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(certificateChain.text);
  } catch (error) {
    throw new StartupError(`${certificateChain.name} holds no readable PEM certificate`, error);
  }
  refuseOtherThanServers(leaf, certificateChain.name);
  let matches: boolean;
  try {
    matches = leaf.checkPrivateKey(createPrivateKey(privateKey.text));
  } catch (error) {
    throw new StartupError(`${privateKey.name} holds no readable, unencrypted PEM private key`, error);
  }
  if (!matches) {
    throw new StartupError(
      `${privateKey.name} is not the key of the first certificate in ${certificateChain.name}`,
    );
  }
}

/** RFC 5280 §4.2.1.12: serverAuth, anyExtendedKeyUsage. Who has no such extension is for any use. */
const FOR_SERVERS: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

/** Every client would end the connection, and the log would speak of its alert only. `keyUsage`: the extended ones, as Node has it. */
function refuseOtherThanServers({ keyUsage }: X509Certificate, name: string): void {
  if (keyUsage === undefined || keyUsage.some((usage) => FOR_SERVERS.includes(usage))) return;
  throw new StartupError(
    `${name}: the first certificate is none of a server (its extended key usage lacks serverAuth): no client would accept it`,
  );
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
}
