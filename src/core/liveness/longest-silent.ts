type Heard = readonly [name: string, lastMs: number];

/**
 * So many names, or all there are, of those that were heard of longest ago; `heard`: each with its last time in ms. Of all of them only
 * the candidates are sorted: 131,072 of which 2,048 are wanted would take 0.1 s, in which nobody is answered.
 */
export function longestSilent(heard: Iterable<Heard>, count: number): readonly string[] {
  const candidates: Heard[] = [];
  let latestMs = Number.POSITIVE_INFINITY;
  const keepLongest = (): void => {
    candidates.sort(([, a], [, b]) => a - b).splice(count);
    // At the same time somebody else was heard of before: that one is kept.
    latestMs = candidates.at(-1)?.[1] ?? Number.NEGATIVE_INFINITY;
  };
  for (const one of heard) {
    if (one[1] >= latestMs) continue;
    candidates.push(one);
    if (candidates.length >= 2 * count) keepLongest();
  }
  keepLongest();
  return candidates.map(([name]) => name);
}
