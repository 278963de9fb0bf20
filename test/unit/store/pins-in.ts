import { DOCUMENT_BEGINS, NAME_BEGINS, type StoredPins } from '../../../src/shell/store/pin-pages.ts';

/** Documents by name. Throws where a page has others than it says. */
export function pinsIn(pages: StoredPins): Map<string, string> {
  const found = new Map<string, string>();
  for (const { first, count, octets } of pages) {
    const pins = octets
      .toString()
      .split(NAME_BEGINS)
      .slice(1)
      .map((pin) => pin.split(DOCUMENT_BEGINS) as [string, string]);
    if (pins.length !== count || pins[0]?.[0] !== first)
      throw new Error(`not what it says: ${first}, ${count}`);
    for (const [name, document] of pins) found.set(name, document);
  }
  return found;
}
