import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { projectCopy } from '../cli/project-copy.ts';
import { startCommandLine } from '../support/command-line.ts';
import { PROJECT, spawned } from '../support/spawned.ts';

/** What lasts until Ctrl-C. */
const LASTS = / watch\b| --follow\b/;

export const readPage = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');

/**
 * Runs every block of shell in some Markdown as it stands, in order, in one directory, against one gateway with the demo fleet. Whatever
 * ends with another code than 0 fails the test. Returns the directory.
 */
export async function runBlocks(t: TestContext, markdown: string): Promise<string> {
  const line = await startCommandLine(t);
  // certs-dev writes beside the sources.
  const project = await projectCopy(t);
  const environment = {
    ...line.environment,
    PATH: `${project}/bin:${process.env['PATH']}`,
    DATABASE_URL: `sqlite://${line.directory}/fleet.db`,
    // Saves what it is given.
    EDITOR: 'true',
  };
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  assert.ok(blocks.length > 0);
  for (const block of blocks) {
    const script = block
      .split('\n')
      .map((text) => (LASTS.test(text) ? `${text.replace(/ *#.*/, '')} & sleep 1; kill $!` : text))
      .join('\n');
    const { code, stdout, stderr } = await spawned(t, ['/bin/sh', '-euc', script], {
      directory: line.directory,
      environment,
    }).ended;
    assert.equal(code, 0, `${script}\n${stdout}\n${stderr}`);
  }
  return line.directory;
}
