/** One chain, three answers: ours, OpenSSL's in a real handshake, and the chain engine of pkijs. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createSecureContext, createServer, type SecureContext, type TLSSocket } from 'node:tls';
import * as pkijs from 'pkijs';
import { type Minted, mint } from '../../../certs-dev/mint.ts';
import { type CrlRequest, mintCrl } from '../../../certs-dev/mint-crl.ts';
import { readCrl } from '../../../src/core/identity/crl.ts';
import { createCrlSet, findCrlIssuer } from '../../../src/core/identity/crl-set.ts';
import { finish } from '../../../src/core/steps.ts';
import { inSlices } from '../../../src/shell/slices.ts';
import { createTlsContext } from '../../../src/shell/tls/secure-context.ts';
import { judged, ruleOf, trustOf } from './pki.ts';

export interface Chain {
  /** Leaf first, as presented. */
  readonly chain: readonly [Minted, ...Minted[]];
  /** The bundle. */
  readonly trusted: readonly Minted[];
  readonly crls?: readonly CrlRequest[];
}

export interface Answers {
  /** 'accepted', or the rule. */
  readonly ours: string;
  /** 'accepted', or the code that a server sees. */
  readonly openssl: string;
  /** 'accepted', 'no path', or the number of its error. */
  readonly pkijs: string;
}

export async function askAll({ chain, trusted, crls = [] }: Chain): Promise<Answers> {
  const minted = await Promise.all(crls.map((crl) => mintCrl(crl)));
  return {
    ours: ours(chain, trusted, minted),
    openssl: await openssl(chain, trusted, minted),
    pkijs: await pkijsEngine(chain, trusted, minted),
  };
}

type Crls = readonly { readonly der: Uint8Array<ArrayBuffer>; readonly pem: string }[];

function ours(chain: readonly Minted[], trusted: readonly Minted[], minted: Crls): string {
  const trust = trustOf(trusted);
  const nowMs = Date.now();
  const crls = minted.map(({ der }) => {
    const facts = finish(readCrl(der));
    return { facts, issuer: finish(findCrlIssuer(facts, trust)), source: 'a.crl', remembered: false };
  });
  const revocation = createCrlSet({ crls, previous: undefined, policy: 'require-fresh', trust, nowMs });
  return ruleOf(judged(chain, trust, { nowMs, revocation }));
}

const server = await mint({
  subject: { CN: 'server' },
  subjectAltNames: [{ type: 'dns', value: 'localhost' }],
});

/** As the gateway asks it: with its context, an intermediate may be an anchor. */
async function openssl(
  chain: readonly [Minted, ...Minted[]],
  trusted: readonly Minted[],
  crls: Crls,
): Promise<string> {
  const context = await inSlices(
    createTlsContext({
      certificateChain: { name: 'chain', text: server.pem },
      privateKey: { name: 'key', text: server.keyPem },
      authorities: trusted.map(({ pem }) => pem),
      minVersion: 'TLSv1.3',
    }),
  );
  for (const { pem } of crls) (context.context as { addCRL(pem: string): void }).addCRL(pem);
  const listener = createServer({ requestCert: true, rejectUnauthorized: false });
  (listener as unknown as { _sharedCreds: SecureContext })._sharedCreds = context;
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  try {
    const answer = Promise.race([
      once(listener, 'secureConnection').then(([socket]) => answerOf(socket as TLSSocket)),
      once(listener, 'tlsClientError').then(([error]) => `handshake: ${(error as { code: string }).code}`),
    ]);
    const client = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      secureContext: createSecureContext({
        cert: chain.map(({ pem }) => pem).join(''),
        key: chain[0].keyPem,
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
    });
    client.on('error', () => undefined);
    const told = await answer;
    client.destroy();
    return told;
  } finally {
    listener.close();
  }
}

function answerOf(socket: TLSSocket): string {
  const { authorized, authorizationError } = socket;
  socket.destroy();
  const error = authorizationError as { code?: string } | string | null;
  return authorized ? 'accepted' : typeof error === 'string' ? error : (error?.code ?? 'refused');
}

async function pkijsEngine(
  chain: readonly Minted[],
  trusted: readonly Minted[],
  crls: Crls,
): Promise<string> {
  try {
    const engine = new pkijs.CertificateChainValidationEngine({
      trustedCerts: trusted.map(({ der }) => pkijs.Certificate.fromBER(der)),
      // It looks for the path of the last one.
      certs: chain.map(({ der }) => pkijs.Certificate.fromBER(der)).reverse(),
      crls: crls.map(({ der }) => pkijs.CertificateRevocationList.fromBER(der)),
    });
    const { result, resultCode } = await engine.verify();
    if (result) return 'accepted';
    return resultCode === -1 ? 'no path' : `error ${resultCode}`;
  } catch (error) {
    return `throws: ${error instanceof Error ? error.message : String(error)}`;
  }
}
