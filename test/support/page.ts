import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './spawned.ts';

/**
 * A page of the documentation as what it makes its reader do: commands, what they print, and the moments at which somebody else does
 * something. How a page says so:
 *
 * - a `sh` block is commands: they run as they stand, from top to bottom in one shell, and each block must end with 0;
 * - a `text` block behind it is all that it prints; `…` stands for anything within a line, a line of it alone for any lines;
 * - a `console` block is a session: `$ ` before a command, what it prints below;
 * - `<!-- lasts until: TEXT -->` before a block: it goes on until Ctrl-C, and the reader goes on once it has said TEXT;
 * - `<!-- not run: REASON -->` before a block: it is not executed;
 * - `<!-- test: EVENT -->`: somebody else acts; `Ctrl-C` is what ends all that lasts;
 * - `sh setup`: only where another page is executed that needs it.
 */
export type Step =
  | { readonly kind: 'commands'; readonly text: string; readonly prints: string | undefined }
  | { readonly kind: 'lasting'; readonly text: string; readonly until: string }
  | { readonly kind: 'event'; readonly name: string }
  | { readonly kind: 'not-run'; readonly reason: string };

export interface Page {
  /** From the project's root: docs/audit.md. */
  readonly path: string;
  readonly steps: readonly Step[];
  /** The commands of `sh setup`, where there are any. */
  readonly setup: string | undefined;
}

/** What a fence may say that it holds. */
const DATA = new Set(['yaml', 'json', 'cedar', 'text']);

/** README.md and all below docs/. */
export function pagePaths(): readonly string[] {
  const below = readdirSync(join(PROJECT, 'docs'), { recursive: true, encoding: 'utf8' });
  return [
    'README.md',
    ...below.filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
  ].sort();
}

export function readPage(path: string): Page {
  return parsePage(path, readFileSync(join(PROJECT, path), 'utf8'));
}

/** Throws where a block is not one of these: what nobody understands nobody runs. */
export function parsePage(path: string, text: string): Page {
  const steps: Step[] = [];
  let setup: string | undefined;
  let before: RegExpMatchArray | undefined;
  const thing =
    /^(?<indent> *)```(?<language>.*)\n(?<body>[\s\S]*?)^\k<indent>```$|<!-- (?<word>lasts until|not run|test): (?<about>.+?) -->/gm;
  let blocks = 0;
  for (const match of text.matchAll(thing)) {
    const { indent = '', language, body = '', word, about = '' } = match.groups ?? {};
    if (word !== undefined) {
      if (word === 'test') steps.push({ kind: 'event', name: about });
      else before = match;
      continue;
    }
    blocks += 1;
    const mark = before !== undefined && isBefore(text, before, match) ? before.groups : undefined;
    if (before !== undefined && mark === undefined)
      throw new Error(`${path}: "${before[0]}" is before no block`);
    before = undefined;
    const lines = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    if (mark?.['word'] === 'not run') steps.push({ kind: 'not-run', reason: mark['about'] ?? '' });
    else if (mark !== undefined) steps.push({ kind: 'lasting', text: lines, until: mark['about'] ?? '' });
    else if (language === 'sh') steps.push({ kind: 'commands', text: lines, prints: undefined });
    else if (language === 'sh setup') setup = lines;
    else if (language === 'console') steps.push(...session(path, lines));
    else if (language === 'text') steps.push(printed(path, steps.pop(), lines));
    else if (!DATA.has(language ?? '')) throw new Error(`${path}: a block of "${language}"`);
  }
  if (before !== undefined) throw new Error(`${path}: "${before[0]}" is before no block`);
  const fences = [...text.matchAll(/^ *```/gm)].length;
  if (fences !== 2 * blocks) throw new Error(`${path}: a block that is not closed as it was opened`);
  return { path, steps, setup };
}

/** Nothing but white space lies between. */
function isBefore(text: string, mark: RegExpMatchArray, block: RegExpMatchArray): boolean {
  return text.slice((mark.index ?? 0) + mark[0].length, block.index).trim() === '';
}

function printed(path: string, last: Step | undefined, prints: string): Step {
  if (last?.kind === 'commands' && last.prints === undefined) return { ...last, prints };
  throw new Error(`${path}: a text block that is nobody's output\n${prints}`);
}

function session(path: string, lines: string): readonly Step[] {
  const [head = '', ...commands] = lines.split(/^\$ /m);
  if (head !== '') throw new Error(`${path}: a session that begins without a command`);
  return commands.map((text) => {
    const [command = '', ...rest] = text.split(/(?<=[^\\])\n/);
    return { kind: 'commands', text: command, prints: rest.join('\n') };
  });
}
