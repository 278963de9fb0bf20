/**
 * HTML that cannot be broken out of: a value goes into text or into a quoted attribute, escaped, and nowhere else. Each template is
 * read once; one that has a value in another place (a tag's name, a script, a style, an attribute that is code, the front of a URL)
 * throws, whatever the value is.
 */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An attribute that is there or not, as `selected`. */
export class Flag {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Piece = Html | string | number | undefined | readonly Piece[];

/** Code or many URLs: no value belongs there. */
const NEVER = /^(?:on.*|style|srcdoc|srcset|ping|formaction)$/i;
/** What the value of such an attribute begins with decides where it leads, so that stands in the template. */
const LEADS = /^(?:href|src|action|xlink:href|poster|data|cite)$/i;
const NO_MARKUP = /^(?:script|style|textarea|title|template|iframe|noscript|plaintext|xmp)$/i;

type Place = 'text' | 'attribute' | 'tag';

const read = new WeakMap<TemplateStringsArray, readonly Place[]>();

export function html(strings: TemplateStringsArray, ...values: readonly (Piece | Flag)[]): Html {
  const places = read.get(strings) ?? readTemplate(strings);
  let text = strings[0] ?? '';
  for (const [index, value] of values.entries()) {
    text += rendered(value, places[index] ?? 'tag') + (strings[index + 1] ?? '');
  }
  return new Html(text);
}

function rendered(value: Piece | Flag, place: Place): string {
  if (place === 'tag') {
    if (value instanceof Flag) return value.text;
    throw new TypeError('html: only a flag() may stand in a tag');
  }
  if (value === undefined) return '';
  if (value instanceof Flag) throw new TypeError('html: a flag() stands in a tag only');
  if (value instanceof Html) {
    if (place === 'text') return value.text;
    throw new TypeError('html: markup in an attribute');
  }
  if (typeof value === 'object') {
    let text = '';
    for (const one of value) text += rendered(one, place);
    return text;
  }
  return escapeText(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};
/** What nobody can see, or what makes the text around it read in another order than it is in: shown by its number. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{DI}\u2028\u2029\ufff9-\ufffb]/gu;

export function escapeText(text: string): string {
  return text
    .replace(UNSEEN, (found) =>
      found === '\n' || found === '\t'
        ? found
        : `⟦U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟧`,
    )
    .replace(/[&<>"'`]/g, (found) => ENTITIES[found] ?? '');
}

/** `name`: of the template's author, never a value. */
export const flag = (name: string, isThere: boolean): Flag => new Flag(isThere ? ` ${name}` : '');

/** A small reader of what the templates here are written in: tags, double-quoted attributes, text. All else throws. */
function readTemplate(strings: TemplateStringsArray): readonly Place[] {
  const places: Place[] = [];
  let state: 'text' | 'tag' | 'value' = 'text';
  let element = '';
  let attribute = '';
  /** Of the attribute's value, as far as it stands in the template. */
  let front = '';
  const problem = (what: string): TypeError => new TypeError(`html: ${what}: ${strings.join('{…}')}`);
  for (const [index, string] of strings.entries()) {
    for (let at = 0; at < string.length; at++) {
      const rest = string.slice(at);
      if (state === 'text') {
        if (!rest.startsWith('<')) continue;
        if (/^<!doctype html>/i.test(rest)) {
          at += rest.indexOf('>');
          continue;
        }
        const tag = /^<\/?(?<name>[a-z][a-z0-9]*)(?=[\s>/]|$)/i.exec(rest)?.groups?.['name'];
        if (tag === undefined) throw problem('a "<" that begins no tag, or a value in a tag’s name');
        element = rest.startsWith('</') ? '' : tag;
        state = 'tag';
        at += rest.startsWith('</') ? tag.length + 1 : tag.length;
      } else if (state === 'tag') {
        if (rest.startsWith('>')) {
          state = 'text';
          continue;
        }
        if (/^[\s/]/.test(rest)) continue;
        const named = /^(?<name>[a-z][a-z0-9:-]*)(?<quote>=")?/i.exec(rest)?.groups;
        if (named === undefined) throw problem('an attribute that is not NAME or NAME="…"');
        attribute = named['name'] ?? '';
        if (/^(?:on.*|style)$/i.test(attribute)) throw problem(`the attribute ${attribute}`);
        at += attribute.length - 1;
        if (named['quote'] === undefined) {
          if (rest[attribute.length] === '=') throw problem(`${attribute} without double quotes`);
          continue;
        }
        at += 2;
        front = '';
        state = 'value';
      } else if (rest.startsWith('"')) state = 'tag';
      else front += string[at];
    }
    if (index === strings.length - 1) break;
    if (state === 'text' && NO_MARKUP.test(element) && element !== 'title')
      throw problem(`a value in <${element}>`);
    if (state === 'value' && NEVER.test(attribute)) throw problem(`a value in ${attribute}`);
    if (state === 'value' && LEADS.test(attribute) && !/^(?:\/[a-z]|#|\?)/.test(front)) {
      throw problem(`a value at the front of ${attribute}`);
    }
    places.push(state === 'value' ? 'attribute' : state);
  }
  if (state !== 'text') throw problem('it ends inside a tag');
  read.set(strings, places);
  return places;
}
