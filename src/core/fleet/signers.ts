import type { ErrorDetail } from '../errors.ts';
import { pointer } from './canonical.ts';
import type { PlatformComponent, Signer } from './objects.ts';

/**
 * Whose signature clusters accept, as Flux reads it in OCIRepository `spec.verify.matchOIDCIdentity`: regular expressions in RE2's
 * syntax, searched for anywhere in the issuer and the subject of the signing certificate. So an expression that is not anchored
 * lets others sign, one that RE2 does not take stops every update, and one whose wildcard comes too early lets anybody sign.
 * Expressions are taken apart here and never run: whoever writes one could keep a backtracking engine busy for years.
 */

const ANCHORED = 'must begin with "^" and end with "$": Flux searches for it anywhere in the text';
const SYNTAX =
  'must be of what RE2 and this gateway both read: letters, digits, "-", "_", "/", ":", "@", "%", "~", "=", ",", "&", "\\." and ' +
  'other escaped signs, ".", "[…]", "(…|…)", "*", "+", "?", "{n,m}", "\\d" and "\\w"; parentheses in pairs, nothing repeated twice';
const AROUND = 'must have "|" inside parentheses: "^a|b$" means "^a" or "b$"';
const LARGE = 'must not repeat more than 1000 times in all, nor have more than 64 ways to begin';
const OPEN: Readonly<Record<keyof Signer, string>> = {
  issuer:
    'must name its host before anything that varies, with "\\." for a dot: ^https://token\\.actions\\.githubusercontent\\.com$',
  subject:
    'must name who signs before anything that varies, with "\\." for a dot: the whole text, or a URL’s host and first segment, as in ' +
    '^https://github\\.com/my-org/.*$',
};
/** What a beginning must hold before the first wildcard; without a wildcard any text will do. */
const NAMED: Readonly<Record<keyof Signer, RegExp>> = {
  issuer: /^https:\/\/[^/]+\//,
  subject: /^https:\/\/[^/]+\/[^/]+\//,
};

export function signerProblems({ oci_url: url, verify }: PlatformComponent): ErrorDetail[] {
  if (verify === undefined) return [];
  const problems: ErrorDetail[] = [];
  if (!url.startsWith('oci://')) {
    problems.push({
      field: '/verify',
      problem: 'must be absent: Flux verifies artefacts of oci:// sources only',
    });
  }
  for (const [position, signer] of verify.match_oidc_identity.entries()) {
    for (const part of ['issuer', 'subject'] as const) {
      const problem = expressionProblem(signer[part], part);
      if (problem === undefined) continue;
      problems.push({ field: pointer('verify', 'match_oidc_identity', position, part), problem });
    }
  }
  return problems;
}

function expressionProblem(expression: string, part: keyof Signer): string | undefined {
  const tokens = tokensOf(expression);
  if (tokens === undefined) return SYNTAX;
  const [first, ...rest] = tokens;
  const last = rest.pop();
  if (first?.kind !== 'anchor' || first.text !== '^') return ANCHORED;
  if (last?.kind !== 'anchor' || last.text !== '$') return ANCHORED;
  const parsed = parse(rest);
  if (typeof parsed === 'string') return parsed;
  return parsed.every(({ text, open }) => (open ? NAMED[part].test(text) : text.length > 0))
    ? undefined
    : OPEN[part];
}

interface Token {
  readonly kind: 'literal' | 'varies' | 'open' | 'close' | 'or' | 'repeat' | 'anchor';
  /** Of a literal, the character that it stands for. */
  readonly text: string;
}

const TOKEN =
  /(?<escaped>\\[-./+*?()|[\]{}^$])|(?<varies>\.|\\[dw]|\[\^?(?:[-A-Za-z0-9_./:@%~=,&+]|\\[-./+\]d])+\])|(?<open>\((?:\?:)?)|(?<close>\))|(?<or>\|)|(?<repeat>[*+?]|\{\d{1,4}(?:,\d{0,4})?\})|(?<anchor>[$^])|(?<literal>[-A-Za-z0-9_/:@%~=,& ])/y;

/** undefined: something that one of the two does not read, or reads in another way. */
function tokensOf(expression: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < expression.length; at = TOKEN.lastIndex) {
    const match = TOKEN.exec(expression);
    const [kind, text] = Object.entries(match?.groups ?? {}).find(([, found]) => found !== undefined) ?? [];
    if (kind === undefined || text === undefined) return undefined;
    if (kind === 'escaped') tokens.push({ kind: 'literal', text: text.slice(1) });
    else tokens.push({ kind: kind as Token['kind'], text });
    if (kind === 'varies' && !isClass(text)) return undefined;
  }
  return tokens;
}

/** Its ranges go upwards, which the form does not say. Compiled only, which costs no more than its length. */
function isClass(text: string): boolean {
  try {
    return new RegExp(text, 'u') !== undefined;
  } catch {
    return false;
  }
}

/** One way in which a match can begin: the text up to the first thing that varies. `open`: something varies after it. */
interface Beginning {
  readonly text: string;
  readonly open: boolean;
}

const WAYS_MAX = 64;
const REPEATS_MAX = 1000;

/** What stands between the anchors. A string says what is wrong with it. */
function parse(tokens: readonly Token[]): readonly Beginning[] | string {
  let repeats = 1;
  let at = 0;
  // Every group nests one call deeper, and the schema bounds the length.
  const alternatives = (depth: number): readonly Beginning[] | string => {
    const ways: Beginning[] = [];
    let way: readonly Beginning[] = [{ text: '', open: false }];
    for (; at < tokens.length; at++) {
      const { kind, text } = tokens[at] as Token;
      if (kind === 'close') break;
      if (kind === 'anchor') return ANCHORED;
      if (kind === 'repeat') return SYNTAX;
      if (kind === 'or') {
        if (depth === 0) return AROUND;
        ways.push(...way);
        way = [{ text: '', open: false }];
        continue;
      }
      const next = kind === 'open' ? group(depth) : ([{ text, open: kind === 'varies' }] as const);
      if (typeof next === 'string') return next;
      const repeat = tokens[at + 1]?.kind === 'repeat' ? tokens[++at]?.text : undefined;
      if (repeat !== undefined && !counts(repeat)) return repeat.startsWith('{') ? LARGE : SYNTAX;
      way = joined(way, repeat === undefined ? next : [{ text: '', open: true }], kind === 'varies');
      if (way.length + ways.length > WAYS_MAX) return LARGE;
    }
    return [...ways, ...way];
  };
  const group = (depth: number): readonly Beginning[] | string => {
    at++;
    const inner = alternatives(depth + 1);
    if (typeof inner === 'string') return inner;
    return tokens[at]?.kind === 'close' ? inner : SYNTAX;
  };
  /** RE2 multiplies what is nested; multiplying all of them is never less. */
  const counts = (repeat: string): boolean => {
    const [, from = '', to = from] = /^\{(\d+)(?:,(\d*))?\}$/.exec(repeat) ?? [];
    if (from === '') return true;
    const most = Math.max(Number(from), to === '' ? 1 : Number(to), 1);
    repeats *= most;
    return (to === '' || Number(from) <= Number(to)) && repeats <= REPEATS_MAX;
  };
  const whole = alternatives(0);
  return at < tokens.length && typeof whole !== 'string' ? SYNTAX : whole;
}

function joined(
  way: readonly Beginning[],
  next: readonly Beginning[],
  varies: boolean,
): readonly Beginning[] {
  return way.flatMap((beginning) => {
    if (beginning.open) return [beginning];
    if (varies) return [{ ...beginning, open: true }];
    return next.map(({ text, open }) => ({ text: beginning.text + text, open }));
  });
}
