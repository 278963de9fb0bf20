import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { API_REFERENCE, anchorOf, apiReference, readApiDocument } from '../../scripts/api-reference.ts';

const page = readFileSync(API_REFERENCE, 'utf8');
const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

describe('docs/api.md', () => {
  it('is what npm run -s docs:api makes of openapi.yaml', () => {
    assert.ok(page === apiReference(readApiDocument()), 'docs/api.md is out of date: npm run -s docs:api');
  });

  it('has no two headings of one anchor, so that each link leads where it says', () => {
    assert.deepEqual(
      headings.filter((heading, at) => headings.indexOf(heading) !== at),
      [],
    );
  });

  it('has a section for each operation, with what it answers', () => {
    for (const [path, item] of Object.entries(readApiDocument().paths)) {
      for (const method of Object.keys(item).filter((name) => name !== 'parameters')) {
        assert.ok(headings.includes(anchorOf(`${method} ${path}`)), `${method} ${path}`);
      }
    }
  });
});
