/** Client certificates that must all be refused, each for one reason: everything else about them is right. */
import type { RefusalRule } from '../../src/core/identity/verdict.ts';
import { HOSTILE_ISSUERS } from './hostile-issuers.ts';
import { HOSTILE_LEAVES } from './hostile-leaves.ts';
import type { TestPki } from './pki.ts';

export interface HostileCertificate {
  readonly name: string;
  readonly why: string;
  readonly expectedRule: RefusalRule;
  readonly chainPem: string;
  readonly keyPem: string;
  /** Accepted unless SPIFFE_TRUST_DOMAIN is HOSTILE_TRUST_DOMAIN. */
  readonly onlyWithTrustDomain: boolean;
  /** The client's own OpenSSL refuses to use it, unless its `ciphers` end in `:@SECLEVEL=0`. */
  readonly clientNeedsSecurityLevel0: boolean;
  /**
   * OpenSSL's complaint about it stays in the error queue: when the request comes in a later TCP segment than the end of
   * the handshake, Node's next read fails, `clientError` is emitted, and whoever does not answer there cuts the connection.
   */
  readonly opensslEndsConnection: boolean;
}

/** All of them, minted under `pki` in some 100 ms. */
export async function hostileCertificates(pki: TestPki): Promise<readonly HostileCertificate[]> {
  const list: HostileCertificate[] = [];
  for (const [name, hostile] of Object.entries({ ...HOSTILE_ISSUERS, ...HOSTILE_LEAVES })) {
    const { chainPem, keyPem } = await hostile.mint(pki);
    list.push(
      Object.freeze({
        name,
        why: hostile.why,
        expectedRule: hostile.rule,
        chainPem,
        keyPem,
        onlyWithTrustDomain: hostile.onlyWithTrustDomain === true,
        clientNeedsSecurityLevel0: hostile.clientNeedsSecurityLevel0 === true,
        opensslEndsConnection: hostile.opensslEndsConnection === true,
      }),
    );
  }
  return Object.freeze(list);
}
