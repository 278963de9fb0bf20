import { StartupError } from '../errors.ts';

/** What Cedar says of a text that it does not take. */
export interface PolicyProblem {
  readonly message: string;
  readonly help: string | null;
  /** In octets of UTF-8, from the start of the text that Cedar was given. */
  readonly sourceLocations?: readonly { readonly start: number }[];
}

/** `text` is what Cedar was given: a file, or the part of it that begins after `linesBefore` lines. */
export function refusePolicy(
  file: string,
  text: string,
  linesBefore: number,
  problems: readonly PolicyProblem[],
): StartupError {
  const start = problems[0]?.sourceLocations?.[0]?.start;
  const line = linesBefore + (start === undefined ? 1 : lineOfOctet(text, start));
  return new StartupError(`${file}:${line}: ${describeProblems(problems)}`);
}

export function describeProblems(problems: readonly PolicyProblem[]): string {
  const described = problems.map(({ message, help }) => (help ? `${message} (${help})` : message));
  return described.join('; ') || 'unknown error';
}

/** From 1; `offset` in UTF-16 code units. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, Math.max(offset, 0)).split('\n').length;
}

function lineOfOctet(text: string, offset: number): number {
  const before = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, offset));
  return lineOf(before, before.length);
}
