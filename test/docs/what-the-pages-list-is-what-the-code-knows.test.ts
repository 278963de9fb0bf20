import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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

  it('are the statuses that the gateway answers errors with', () => {
    const [statuses = ''] = read('docs/troubleshooting.md').split('## 495');
    const documented = firstCells(statuses).flatMap((cell) => cell.match(/\b\d{3}\b/g) ?? []);
    const known = new Set(Object.values(STATUS_OF).map(String));
    assert.deepEqual([...documented].sort(), [...known].sort());
  });

  it('are the rules by which a certificate can be refused, each once', () => {
    const [, rules = ''] = read('docs/troubleshooting.md').split('## 495, rule by rule');
    const documented = firstCells(rules.split('\n## ')[0] ?? '')
      .slice(1)
      .flatMap(codeSpans);
    assert.deepEqual([...documented].sort(), [...REFUSAL_RULES].sort());
  });
});
