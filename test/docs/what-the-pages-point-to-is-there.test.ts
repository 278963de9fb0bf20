import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { pagePaths } from '../support/page.ts';
import { PROJECT } from '../support/spawned.ts';

const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');

function pages(): readonly string[] {
  const below = (folder: string): readonly string[] =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(folder, name),
    );
  return [...readdirSync(PROJECT), ...below('docs'), 'certs-dev/README.md'].filter((path) =>
    path.endsWith('.md'),
  );
}

/** As a page's heading becomes an anchor. */
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

/** A pattern may look like a link. */
const withoutCode = (text: string): string => text.replaceAll(/```[\s\S]*?```|``.*?``|`[^`\n]*`/g, '');

describe('the pages', () => {
  it('link to files and headings that are there', () => {
    const broken: string[] = [];
    for (const page of pages()) {
      for (const [, link = ''] of withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(PROJECT, target))) broken.push(`${page} → ${link}`);
        else if (anchor !== undefined) {
          const headings = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => slug(heading));
          if (!headings.includes(anchor)) broken.push(`${page} → ${link}`);
        }
      }
    }
    assert.deepEqual(broken, []);
  });

  it('promise in SECURITY.md what a test holds', () => {
    const named = [
      ...read('SECURITY.md').matchAll(/`((?:scenario|sandbox|unit|golden|container|test)\/[^`]+)`/g),
    ].map(([, path = '']) => (path.startsWith('test/') ? path : join('test', path)));
    assert.ok(named.length > 30);
    assert.deepEqual(
      named.filter((path) => !existsSync(join(PROJECT, path))),
      [],
    );
  });

  it('name npm scripts that are there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const missing: string[] = [];
    for (const page of pages()) {
      for (const [command, name = ''] of read(page).matchAll(
        /npm (?:run (?:-s )?)?((?<=run (?:-s )?)[\w:-]+|start|test)\b/g,
      )) {
        if (scripts[name] === undefined) missing.push(`${page}: ${command}`);
      }
    }
    assert.deepEqual(missing, []);
  });

  it('are all in the table of contents, which is one step from the README', () => {
    const contents = read('docs/README.md');
    const linked = [...contents.matchAll(/\]\(([^)#\s]+)\)/g)].map(([, path = '']) => join('docs', path));
    const missing = pagePaths().filter((path) => !['README.md', 'docs/README.md', ...linked].includes(path));
    assert.deepEqual(missing, []);
    assert.match(read('README.md'), /\]\(docs\/README\.md\)/);
  });

  it('have pictures that are readable on light and on dark, and say in words what they show', () => {
    const pictures = readdirSync(join(PROJECT, 'docs/images')).filter((name) => name.endsWith('.svg'));
    assert.ok(pictures.length > 1);
    for (const picture of pictures) {
      const text = read(`docs/images/${picture}`);
      assert.match(text, /prefers-color-scheme: dark/, picture);
      assert.match(text, /<title id="title">[^<]{20,}</, picture);
      assert.doesNotMatch(text, /<script|href=|url\(https?:/, picture);
    }
  });

  it('begin with a README that is read to its end', () => {
    assert.ok(read('README.md').split('\n').length < 150);
  });
});
