import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A directory of the test's own; it goes with the test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'fluxgate-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The URL of a database that is not there yet. */
export function temporaryDatabase(t: TestContext): { readonly path: string; readonly url: string } {
  const path = join(temporaryDirectory(t), 'fleet.db');
  return { path, url: `sqlite://${path}` };
}
