import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { projectCopy } from '../cli/project-copy.ts';
import { startCommandLine } from '../support/command-line.ts';
import { parsePage } from '../support/page.ts';
import { executePage } from '../support/page-shell.ts';
import { PROJECT } from '../support/spawned.ts';

export const readPage = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');

/** Executes some of docs/cli.md against one gateway with the demo fleet, `fluxgate` in the path. Returns the directory. */
export async function runBlocks(t: TestContext, markdown: string): Promise<string> {
  const line = await startCommandLine(t);
  // certs-dev writes beside the sources.
  const project = await projectCopy(t);
  const page = parsePage('docs/cli.md', markdown);
  assert.ok(page.steps.length > 0);
  await executePage(page, {
    directory: line.directory,
    environment: {
      ...line.environment,
      PATH: `${project}/bin:${process.env['PATH']}`,
      DATABASE_URL: `sqlite://${line.directory}/fleet.db`,
      // Saves what it is given.
      EDITOR: 'true',
    },
  });
  return line.directory;
}
