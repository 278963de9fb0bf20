/** What the bench writes into pages: the text between two marks, and nothing around it. Pure. */

const begin = (name: string): string => `<!-- measured: ${name} -->`;
const END = '<!-- end of what was measured -->';

/** Throws where the page has no such block. */
export function withBlock(page: string, name: string, content: string): string {
  const [from, to] = placeOf(page, name);
  return `${page.slice(0, from)}\n\n${content.trim()}\n\n${page.slice(to)}`;
}

export function blockOf(page: string, name: string): string {
  return page.slice(...placeOf(page, name)).trim();
}

function placeOf(page: string, name: string): readonly [number, number] {
  const mark = begin(name);
  const at = page.indexOf(mark);
  const to = page.indexOf(END, at);
  if (at < 0 || to < 0) throw new Error(`the page has no block ${mark} … ${END}`);
  return [at + mark.length, to];
}
