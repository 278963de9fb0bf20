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
 * YAML, which Flux applies as cluster-admin.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the very characters to refuse
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** For every string in a document, keys included. The document has passed its schema, which bounds its depth. */
export function unsafeText(value: unknown, path: readonly (string | number)[] = []): ErrorDetail[] {
  if (typeof value === 'string') return unsafeString(value, path, 'must not hold');
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((entry, index) => unsafeText(entry, [...path, index]));
  return Object.entries(value).flatMap(([key, entry]) => {
    const here = [...path, key];
    const reserved =
      key === '__proto__'
        ? [{ field: pointer(...here), problem: 'is not a usable name: choose another key' }]
        : [];
    return [
      ...reserved,
      ...unsafeString(key, here, 'has a key that must not hold'),
      ...unsafeText(entry, here),
    ];
  });
}

function unsafeString(text: string, path: readonly (string | number)[], must: string): ErrorDetail[] {
  const field = pointer(...path);
  if (CONTROL.test(text)) return [{ field, problem: `${must} control characters or line breaks` }];
  // A lone surrogate has no UTF-8: it would be stored as another character than the one that was sent.
  if (!text.isWellFormed()) return [{ field, problem: `${must} half a surrogate pair: send valid Unicode` }];
  return [];
}
