/** The syntax of Go's text/template, as far as go-template.ts runs it, between `<<` and `>>`. */

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | {
      readonly kind: 'range';
      readonly names: readonly string[];
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
    };
export interface Pipeline {
  readonly assign?: { readonly name: string; readonly declare: boolean };
  readonly commands: readonly (readonly Term[])[];
}
export type Term =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'name'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

export function parseTemplate(template: string): readonly Node[] {
  return parseNodes(lexTemplate(template), 0, false).nodes;
}

// — text and actions —

interface Piece {
  readonly action: boolean;
  readonly text: string;
}

function lexTemplate(template: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const start = template.indexOf('<<', at);
    let text = template.slice(at, start === -1 ? undefined : start);
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
    if (start === -1) {
      pieces.push({ action: false, text });
      return pieces;
    }
    let from = start + 2;
    if (/^-[ \t\r\n]/.test(template.slice(from, from + 2))) {
      text = text.replace(/[ \t\r\n]+$/, '');
      from += 1;
    }
    pieces.push({ action: false, text });
    const end = endOfAction(template, from);
    trimNext = /[ \t\r\n]-$/.test(template.slice(from, end));
    pieces.push({ action: true, text: template.slice(from, trimNext ? end - 1 : end).trim() });
    at = end + 2;
  }
}

/** Delimiters inside of strings are text. */
function endOfAction(template: string, from: number): number {
  for (let at = from; at < template.length; ) {
    if (template.startsWith('>>', at)) return at;
    const quoted = /^(?:"(?:\\.|[^"\\\n])*"|`[^`]*`)/.exec(template.slice(at));
    at += quoted?.[0].length ?? 1;
  }
  throw new Error('template: unclosed action');
}

// — structure —

function parseNodes(
  pieces: readonly Piece[],
  from: number,
  nested: boolean,
): { nodes: Node[]; at: number; end: string } {
  const nodes: Node[] = [];
  for (let at = from; at < pieces.length; at++) {
    const { action, text } = pieces[at] as Piece;
    if (!action) {
      nodes.push({ kind: 'text', text });
      continue;
    }
    const [, keyword = '', rest = ''] = /^(if|range|else|end)?(?![\w.])\s*([\s\S]*)$/.exec(text) ?? [];
    if (keyword === 'else' || keyword === 'end') {
      if (!nested) throw new Error(`template: ${keyword} of nothing`);
      return { nodes, at, end: text };
    }
    if (keyword === '') {
      nodes.push({ kind: 'print', pipeline: parsePipeline(text) });
      continue;
    }
    const inner = parseNodes(pieces, at + 1, true);
    at = inner.at;
    if (keyword === 'range') {
      if (inner.end !== 'end') throw new Error('template: else of a range');
      const [, names = '', over = ''] = /^((?:\$\w+\s*,\s*)?\$\w+)\s*:=\s*([\s\S]+)$/.exec(rest) ?? [];
      if (names === '') throw new Error(`template: range ${rest}`);
      nodes.push({
        kind: 'range',
        names: names.split(/\s*,\s*/),
        pipeline: parsePipeline(over),
        body: inner.nodes,
      });
      continue;
    }
    let otherwise: readonly Node[] = [];
    if (inner.end === 'else') {
      const second = parseNodes(pieces, at + 1, true);
      if (second.end !== 'end') throw new Error(`template: ${second.end}`);
      otherwise = second.nodes;
      at = second.at;
    } else if (inner.end !== 'end') throw new Error(`template: ${inner.end}`);
    nodes.push({ kind: 'if', pipeline: parsePipeline(rest), body: inner.nodes, otherwise });
  }
  if (nested) throw new Error('template: unclosed block');
  return { nodes, at: pieces.length, end: '' };
}

const TERM =
  /\s*(?:(?<raw>`[^`]*`)|(?<text>"(?:\\.|[^"\\\n])*")|(?<number>-?\d+)|(?<variable>\$\w*)(?<variablePath>(?:\.\w+)*)|(?<name>[A-Za-z]\w*)(?<namePath>(?:\.\w+)*)|(?<sign>[()|]|:=|=))/y;

function parsePipeline(source: string): Pipeline {
  const tokens: Record<string, string | undefined>[] = [];
  TERM.lastIndex = 0;
  for (let at = 0; source.slice(at).trim() !== ''; at = TERM.lastIndex) {
    const match = TERM.exec(source);
    if (match?.groups === undefined) throw new Error(`template: ${JSON.stringify(source.slice(at))}`);
    tokens.push(match.groups);
  }
  let at = 0;
  const pipeline = (closing: boolean): Pipeline => {
    const sign = tokens[at + 1]?.['sign'];
    const variable = tokens[at]?.['variable'];
    let assign: Pipeline['assign'];
    if (variable !== undefined && (sign === ':=' || sign === '=')) {
      assign = { name: variable, declare: sign === ':=' };
      at += 2;
    }
    const commands: Term[][] = [[]];
    for (; at < tokens.length; at++) {
      const token = tokens[at] ?? {};
      if (token['sign'] === ')') {
        if (!closing) throw new Error(`template: ) in ${source}`);
        break;
      }
      if (token['sign'] === '|') commands.push([]);
      else commands.at(-1)?.push(term(token));
    }
    if (closing && at >= tokens.length) throw new Error(`template: ( in ${source}`);
    if (commands.some((command) => command.length === 0))
      throw new Error(`template: empty command in ${source}`);
    return { ...(assign === undefined ? {} : { assign }), commands };
  };
  const term = (token: Record<string, string | undefined>): Term => {
    const path = (text: string | undefined): string[] => (text ?? '').split('.').slice(1);
    if (token['raw'] !== undefined) return { kind: 'value', value: token['raw'].slice(1, -1) };
    // Of Go's escapes those that JSON has as well.
    if (token['text'] !== undefined) return { kind: 'value', value: JSON.parse(token['text']) };
    if (token['number'] !== undefined) return { kind: 'value', value: Number(token['number']) };
    if (token['variable'] !== undefined)
      return { kind: 'variable', name: token['variable'], path: path(token['variablePath']) };
    if (token['name'] !== undefined)
      return { kind: 'name', name: token['name'], path: path(token['namePath']) };
    if (token['sign'] !== '(') throw new Error(`template: ${token['sign']} in ${source}`);
    at++;
    return { kind: 'pipeline', pipeline: pipeline(true) };
  };
  return pipeline(false);
}
