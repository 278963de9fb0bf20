import { StartupError } from '../errors.ts';

/** What Cedar says of a text that it does not take. */
export interface PolicyProblem {
  readonly message: string;
  readonly help: string | null;
  /** In octets of UTF-8, from the start of the text that Cedar was given. */
  readonly sourceLocations?: readonly { readonly start: number }[];
}

/** FILE:LINE:COLUMN, both from 1. `text` is what Cedar was given: a file, or the part of it that begins after `linesBefore` lines. */
export function refusePolicy(
  file: string,
  text: string,
  linesBefore: number,
  problems: readonly PolicyProblem[],
): StartupError {
  const start = problems[0]?.sourceLocations?.[0]?.start;
  const before = start === undefined ? '' : textOfOctets(text, start);
  const line = linesBefore + lineOf(before, before.length);
  const column = before.length - before.lastIndexOf('\n');
  return new StartupError(`${file}:${line}:${column}: ${describeProblems(problems)}`);
}

export function describeProblems(problems: readonly PolicyProblem[]): string {
  const described = problems.map(({ message, help }) => (help ? `${message} (${help})` : message));
  return described.join('; ') || 'unknown error';
}

/** From 1; `offset` in UTF-16 code units. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, Math.max(offset, 0)).split('\n').length;
}

function textOfOctets(text: string, octets: number): string {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, octets));
}
