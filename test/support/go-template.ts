/**
 * Go's text/template with slim-sprig's functions, as far as the shipped ResourceSets use them, between `<<` and `>>` as Flux Operator
 * runs them (missingkey=error). What it does not know it refuses. test/corpus/go-templates.json holds what Go itself made of templates
 * like ours; this must make the same of them, to the byte.
 */
import { createHash } from 'node:crypto';
import { type Node, type Pipeline, parseTemplate, type Term } from './go-template-syntax.ts';

type Value = unknown;
export type Input = Readonly<Record<string, unknown>>;

export function renderTemplate(template: string, input: Input): string {
  // Functions such as `set` change what they are given; each rendering has its own.
  return execute(parseTemplate(template), new Scope(), structuredClone(input) as Input);
}

// — execution —

class Scope {
  readonly #values = new Map<string, Value>();
  readonly #above: Scope | undefined;
  constructor(above?: Scope) {
    this.#above = above;
  }
  get(name: string): Value {
    if (this.#values.has(name)) return this.#values.get(name);
    if (this.#above === undefined) throw new Error(`template: undefined variable ${name}`);
    return this.#above.get(name);
  }
  declare(name: string, value: Value): void {
    this.#values.set(name, value);
  }
  assign(name: string, value: Value): void {
    if (this.#values.has(name)) this.#values.set(name, value);
    else if (this.#above === undefined) throw new Error(`template: undefined variable ${name}`);
    else this.#above.assign(name, value);
  }
}

function execute(nodes: readonly Node[], scope: Scope, input: Input): string {
  let out = '';
  for (const node of nodes) {
    if (node.kind === 'text') out += node.text;
    else if (node.kind === 'print') {
      const value = evaluate(node.pipeline, scope, input);
      if (node.pipeline.assign === undefined) out += printed(value);
    } else if (node.kind === 'if') {
      const inner = new Scope(scope);
      const branch = isTrue(evaluate(node.pipeline, inner, input)) ? node.body : node.otherwise;
      out += execute(branch, inner, input);
    } else {
      for (const [key, value] of entriesOf(evaluate(node.pipeline, scope, input))) {
        const inner = new Scope(scope);
        const [first = '', second] = node.names;
        if (second === undefined) inner.declare(first, value);
        else {
          inner.declare(first, key);
          inner.declare(second, value);
        }
        out += execute(node.body, inner, input);
      }
    }
  }
  return out;
}

function evaluate({ assign, commands }: Pipeline, scope: Scope, input: Input): Value {
  let last: readonly Value[] = [];
  for (const [head, ...rest] of commands) {
    const args = [...rest.map((term) => resultOf(term, scope, input)), ...last];
    if (head?.kind === 'name' && head.name !== 'inputs') last = [call(head.name, args)];
    else if (head !== undefined && args.length === 0) last = [resultOf(head, scope, input)];
    else throw new Error('template: what is no function takes no arguments');
  }
  const [value] = last;
  if (assign?.declare === true) scope.declare(assign.name, value);
  else if (assign !== undefined) scope.assign(assign.name, value);
  return value;
}

function resultOf(term: Term, scope: Scope, input: Input): Value {
  if (term.kind === 'value') return term.value;
  if (term.kind === 'pipeline') return evaluate(term.pipeline, scope, input);
  const start =
    term.kind === 'variable' ? scope.get(term.name) : term.name === 'inputs' ? input : call(term.name, []);
  return term.path.reduce<Value>((value, key) => {
    if (!isMap(value) || !Object.hasOwn(value, key))
      throw new Error(`template: no entry for key ${JSON.stringify(key)}`);
    return value[key];
  }, start);
}

const isMap = (value: Value): value is Record<string, Value> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const sorted = (map: Record<string, Value>): [string, Value][] =>
  Object.entries(map).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

function entriesOf(value: Value): readonly (readonly [Value, Value])[] {
  if (Array.isArray(value)) return value.map((one: Value, index) => [index, one] as const);
  if (isMap(value)) return sorted(value);
  throw new Error('template: range over what has no elements');
}

function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isMap(value) ? Object.keys(value).length > 0 : Boolean(value);
}

function printed(value: Value): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new Error('template: only text, numbers and truths are printed as they are');
}

/** json.Marshal: keys in the order of their octets, and what means something in HTML escaped. */
function toJson(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (isMap(value))
    return `{${sorted(value)
      .map(([key, part]) => `${toJson(key)}:${toJson(part)}`)
      .join(',')}}`;
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function printf(format: string, values: readonly Value[]): string {
  let next = 0;
  const text = format.replaceAll(/%(?:\.(\d+))?(.)/g, (verb, precision: string | undefined, kind: string) => {
    if (kind !== 's' || typeof values[next] !== 'string') throw new Error(`template: printf ${verb}`);
    const value = [...(values[next++] as string)];
    return value.slice(0, precision === undefined ? undefined : Number(precision)).join('');
  });
  if (next !== values.length) throw new Error('template: printf with more than it prints');
  return text;
}

function call(name: string, args: readonly Value[]): Value {
  const [a, b, c] = args;
  const text = (value: Value): string => {
    if (typeof value === 'string') return value;
    throw new Error(`template: ${name} of what is no text`);
  };
  const map = (value: Value): Record<string, Value> => {
    if (isMap(value)) return value;
    throw new Error(`template: ${name} of what is no map`);
  };
  switch (name) {
    case 'toJson':
      return toJson(a);
    case 'printf':
      return printf(text(a), args.slice(1));
    case 'len':
      return typeof a === 'string' ? Buffer.byteLength(a) : entriesOf(a).length;
    case 'gt':
      return (a as number) > (b as number);
    case 'le':
      return (a as number) <= (b as number);
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'ternary':
      return c === true ? a : b;
    case 'sha256sum':
      return createHash('sha256').update(text(a)).digest('hex');
    case 'replace':
      return text(c).replaceAll(text(a), () => text(b));
    case 'hasPrefix':
      return text(b).startsWith(text(a));
    case 'trimSuffix':
      return text(b).endsWith(text(a)) ? text(b).slice(0, text(b).length - text(a).length) : b;
    case 'base':
      return text(a).replace(/\/+$/, '').split('/').at(-1) || (text(a) === '' ? '.' : '/');
    case 'hasKey':
      return Object.hasOwn(map(a), text(b));
    case 'set':
      // Defined, not assigned: a key may be called __proto__.
      Object.defineProperty(map(a), text(b), {
        value: c,
        enumerable: true,
        writable: true,
        configurable: true,
      });
      return a;
    case 'dict':
      return Object.fromEntries(args.flatMap((key, at) => (at % 2 === 0 ? [[text(key), args[at + 1]]] : [])));
    case 'list':
      return [...args];
    case 'append':
      return [...(a as readonly Value[]), b];
    default:
      throw new Error(`template: function ${name} not defined`);
  }
}
