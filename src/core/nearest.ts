/** A slip of the fingers, or a letter too many in a long name; further away is another name. */
const far = (text: string): number => Math.max(1, Math.floor(text.length / 3));

/** What may have been meant: the name that the fewest letters make of it; undefined: none is near. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  let best: { readonly name: string; readonly letters: number } | undefined;
  for (const name of names) {
    if (Math.abs(name.length - text.length) > far(text)) continue;
    const letters = lettersBetween(text, name);
    if (letters <= far(text) && letters < (best?.letters ?? Number.POSITIVE_INFINITY))
      best = { name, letters };
  }
  return best?.name;
}

/** Letters to insert, leave out or exchange (Levenshtein's distance). */
function lettersBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchanged = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(exchanged, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
