import assert from 'node:assert/strict';
import { readPage } from './page.ts';
import { executePage, type PageOptions } from './page-shell.ts';

/** A page of docs/runbooks, with the variables and the function of its README. */
export async function executeRunbook(file: string, options: PageOptions): Promise<void> {
  const setup = readPage('docs/runbooks/README.md').setup;
  assert.ok(setup !== undefined);
  await executePage(readPage(`docs/runbooks/${file}`), { ...options, setup });
}
