import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createTestPki, type TestPki } from '../support/pki.ts';

export interface ServeEnvironment {
  readonly directory: string;
  readonly pki: TestPki;
  /** Everything that `serve` needs, and ports that are free. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A directory of its own with a PKI in it, gone after the test. */
export async function serveEnvironment(t: Pick<TestContext, 'after'>): Promise<ServeEnvironment> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-cli-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const pki = await createTestPki();
  const { environment } = await pki.write(directory);
  return {
    directory,
    pki,
    environment: {
      ...environment,
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: 'off',
      DATABASE_URL: `sqlite://${join(directory, 'fleet.db')}`,
    },
  };
}

/** The port that a gateway's log says it serves on. */
export function servingPort(stdout: string): number {
  const line = stdout.split('\n').find((text) => text.includes('"msg":"serving"'));
  const { address } = JSON.parse(line ?? '{}') as { address?: string };
  return Number(address?.split(':').at(-1));
}
