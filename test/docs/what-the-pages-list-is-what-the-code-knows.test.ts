import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { VARIABLES } from '../../src/core/config-names.ts';
import { STATUS_OF } from '../../src/core/errors.ts';
import { REFUSAL_RULES } from '../../src/core/identity/verdict.ts';
import { PROJECT } from '../support/spawned.ts';

const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');

/** The first cells of a page's tables. */
function firstCells(page: string): readonly string[] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('|---'))
    .map((line) => line.split('|')[1]?.trim() ?? '');
}

const codeSpans = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

describe('what the pages list', () => {
  it('are the variables that the configuration knows, each once', () => {
    const documented = firstCells(read('docs/configuration.md')).flatMap(codeSpans);
    assert.deepEqual([...documented].sort(), [...VARIABLES].sort());
  });

  it('are the statuses and the error codes that the gateway answers with, each once', () => {
    const [, numbers = ''] = read('docs/troubleshooting.md').split('## Every number');
    const documented = [...(numbers.split('\n## ')[0] ?? '').matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)].map(
      ([, status, code]) => `${status} ${code}`,
    );
    const known = Object.entries(STATUS_OF).map(([code, status]) => `${status} ${code}`);
    assert.deepEqual([...documented].sort(), known.sort());
  });

  it('are the policies that forbid, each once', () => {
    const [, reasons = ''] = read('docs/troubleshooting.md').split("## 403, by the log's reason");
    const documented = firstCells(reasons.split('\n## ')[0] ?? '')
      .slice(1)
      .flatMap(codeSpans);
    const policies = readdirSync(join(PROJECT, 'policy')).filter((name) => name.endsWith('.cedar'));
    const forbidding = policies
      .map((name) => read(`policy/${name}`))
      .flatMap((text) => [...text.matchAll(/@id\("([\w-]+)"\)\s+@reason\("[^"]*"\)\s+forbid/g)])
      .map(([, id = '']) => id);
    assert.ok(forbidding.length > 10);
    assert.deepEqual([...documented].sort(), forbidding.sort());
  });

  it('are the rules by which a certificate can be refused, each once', () => {
    const [, rules = ''] = read('docs/troubleshooting.md').split('\n## 495, rule by rule');
    const documented = firstCells(rules.split('\n## ')[0] ?? '')
      .slice(1)
      .flatMap(codeSpans);
    assert.deepEqual([...documented].sort(), [...REFUSAL_RULES].sort());
  });
});
