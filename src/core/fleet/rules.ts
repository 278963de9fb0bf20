import type { ErrorDetail } from '../errors.ts';
import { pointer } from './canonical.ts';

/** Rules that more than one kind needs. */

export function duplicateIds(list: string, ids: readonly string[], suffix?: 'id'): ErrorDetail[] {
  const first = new Map<string, number>();
  const problems: ErrorDetail[] = [];
  for (const [position, id] of ids.entries()) {
    const earlier = first.get(id);
    if (earlier === undefined) {
      first.set(id, position);
      continue;
    }
    const field = suffix === undefined ? pointer(list, position) : pointer(list, position, suffix);
    problems.push({ field, problem: `must not repeat the id of ${list}/${earlier}: Flux needs unique ids` });
  }
  return problems;
}

/**
 * C0 and C1 controls, DEL, and Unicode's line separators: a line break in a value that a template does not quote injects
 * YAML, which Flux applies as cluster-admin. The two last code points of the plane are no characters, and Flux's YAML parser
 * takes them for controls: one of them breaks every input of the set, quoted or not.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the very characters to refuse
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/;

/** For every string in a document, keys included. The document has passed its schema, which bounds its depth. */
export function unsafeText(document: unknown): ErrorDetail[] {
  const problems: ErrorDetail[] = [];
  // One path for the whole walk: seeds hold millions of strings, and hardly ever a problem.
  const path: (string | number)[] = [];
  const inspect = (text: string, must: string): void => {
    const problem = unsafeString(text);
    if (problem !== undefined) problems.push({ field: pointer(...path), problem: `${must} ${problem}` });
  };
  const walk = (value: unknown): void => {
    if (typeof value === 'string') inspect(value, 'must not hold');
    if (typeof value !== 'object' || value === null) return;
    const isList = Array.isArray(value);
    for (const [key, part] of Object.entries(value)) {
      path.push(key);
      if (key === '__proto__') {
        problems.push({ field: pointer(...path), problem: 'is not a usable name: choose another key' });
      }
      if (!isList) inspect(key, 'has a key that must not hold');
      walk(part);
      path.pop();
    }
  };
  walk(document);
  return problems;
}

function unsafeString(text: string): string | undefined {
  if (CONTROL.test(text)) return 'control characters or line breaks';
  // A lone surrogate has no UTF-8: it would be stored as another character than the one that was sent.
  return text.isWellFormed() ? undefined : 'half a surrogate pair: send valid Unicode';
}
