/**
 * What a terminal would obey instead of showing: controls (C0, C1, DEL), invisible and direction-changing characters, line and
 * paragraph separators, halves of pairs. Whoever can put a name into the fleet must not be able to move somebody's cursor.
 */
const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** One line of somebody else's text, with `\u{1b}` for what a terminal would obey. */
export function shown(text: string): string {
  return text.replace(OBEYED, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same in JSON and in double-quoted YAML, where it stays the same value. */
export function escapedUnits(text: string): string {
  return text.replace(OBEYED, (character) => {
    if (character === '\n') return character;
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
}

export function holdsObeyed(text: string): boolean {
  OBEYED.lastIndex = 0;
  return OBEYED.test(text);
}

/** For a POSIX shell: as it is where that is safe, else in single quotes. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** "1 cluster", "2 clusters". */
export function counted(count: number, noun: string, many = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`;
}
