/** So many names, or all there are, of those that were heard of longest ago; `heard`: each with its last time in ms. */
export function longestSilent(
  heard: Iterable<readonly [name: string, lastMs: number]>,
  count: number,
): readonly string[] {
  return [...heard]
    .sort(([, a], [, b]) => a - b)
    .slice(0, count)
    .map(([name]) => name);
}
