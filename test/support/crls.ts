import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Minted } from '../../certs-dev/mint.ts';
import { type CrlRequest, mintCrl } from '../../certs-dev/mint-crl.ts';
import { type Clock, systemClock } from '../../src/shell/clock.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts';
import { createTestPki, type TestPki } from './pki.ts';

const HOUR = 3_600_000;

/** In force since an hour ago, for a week; revokes `revoked` for keyCompromise. */
export async function crlOf(
  issuer: Minted,
  revoked: readonly Minted[] = [],
  overrides: Partial<CrlRequest> = {},
): Promise<string> {
  const now = Date.now();
  const crl = await mintCrl({
    issuer,
    thisUpdate: new Date(now - HOUR),
    nextUpdate: new Date(now + 168 * HOUR),
    number: 1,
    revoked: revoked.map(({ serial }) => ({ serial, date: new Date(now - HOUR), reason: 1 })),
    ...overrides,
  });
  return crl.pem;
}

export interface CrlGateway extends TestGateway {
  readonly pki: TestPki;
  /** Writes or (undefined) removes a file of CRL_DIR. */
  put(name: string, content: string | Uint8Array | undefined): Promise<void>;
  /** Moves the gateway's clock; CRLs are minted by the real one. */
  advance(milliseconds: number): void;
}

/** A gateway with a CRL_DIR that holds `files`. */
export async function startCrlGateway(
  t: Pick<TestContext, 'after'>,
  files: Readonly<Record<string, string | Uint8Array>>,
  options: TestGatewayOptions = {},
): Promise<CrlGateway> {
  const crlDir = await mkdtemp(join(tmpdir(), 'fluxgate-crls-'));
  t.after(() => rm(crlDir, { recursive: true, force: true }));
  const put = async (name: string, content: string | Uint8Array | undefined): Promise<void> => {
    if (content === undefined) await rm(join(crlDir, name));
    else await writeFile(join(crlDir, name), content);
  };
  await mkdir(join(crlDir, 'a-directory'));
  for (const [name, content] of Object.entries(files)) await put(name, content);
  let ahead = 0;
  const clock: Clock = { ...systemClock, now: () => Date.now() + ahead };
  const gateway = await startTestGateway(t, {
    pki: await createTestPki(),
    clock,
    ...options,
    environment: { CRL_DIR: crlDir, ...options.environment },
  });
  return Object.freeze({
    ...gateway,
    put,
    advance(milliseconds: number) {
      ahead += milliseconds;
    },
  });
}
