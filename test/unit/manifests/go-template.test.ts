import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { renderTemplate } from '../../support/go-template.ts';

interface Corpus {
  readonly templates: Readonly<Record<string, string>>;
  readonly cases: readonly {
    readonly template: string;
    readonly input: Readonly<Record<string, unknown>>;
    readonly text?: string;
    readonly refused?: true;
  }[];
}

const path = new URL('../../corpus/go-templates.json', import.meta.url);
const { templates, cases } = JSON.parse(readFileSync(path, 'utf8')) as Corpus;

describe('the tests’ own text/template', () => {
  it('makes of each template what Go’s makes of it, to the byte, and refuses what that refuses', () => {
    assert.ok(cases.length > 30 && cases.some(({ refused }) => refused));
    for (const { template, input, text, refused } of cases) {
      const source = templates[template] ?? assert.fail(template);
      if (refused === true) assert.throws(() => renderTemplate(source, input), /^Error: template: /, source);
      else assert.equal(renderTemplate(source, input), text, source);
    }
  });
});
