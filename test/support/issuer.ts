import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';

export const AUDIENCE = 'fluxgate.example.com';

/** An OpenID Connect issuer of one test: its keys, and what it signs with them. */
export interface TestIssuer {
  readonly issuer: string;
  /** JSON of its public keys. */
  readonly jwks: string;
  /** `claims` over good ones: undefined takes one away. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
}

export async function createIssuer(issuer: string, kid = 'key-1'): Promise<TestIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  return {
    issuer,
    jwks: JSON.stringify({ keys: [jwk] }),
    sign(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1_000);
      const good = {
        iss: issuer,
        aud: AUDIENCE,
        sub: 'repo:acme/fleet:ref:refs/heads/main',
        iat: now,
        exp: now + 300,
        repository: 'acme/fleet',
        ref: 'refs/heads/main',
        workflow: 'release',
      };
      const jwt = new SignJWT({ ...good, ...claims });
      return jwt
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT', ...header } as JWTHeaderParameters)
        .sign(privateKey);
    },
  };
}

/** An HTTP server on loopback, gone after the test. `answer` may be changed meanwhile. */
export interface LocalServer {
  readonly url: string;
  readonly requests: string[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
}

export async function serveLocally(
  t: Pick<TestContext, 'after'>,
  answer: LocalServer['answer'],
): Promise<LocalServer> {
  const server = createServer((request, response) => {
    local.requests.push(request.url ?? '');
    local.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const local: LocalServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer,
  };
  return local;
}
