import type { Database } from 'better-sqlite3';

/**
 * Some pins as the text that they were stored as: for each NAME_BEGINS, the cluster's DNS name, DOCUMENT_BEGINS and its JSON. 100,000
 * of them are read in a third of the time that as many rows take, and are a few hundred objects instead of 200,000.
 */
export interface PinPage {
  /** The least of its names. */
  readonly first: string;
  readonly count: number;
  readonly text: string;
}

/** In the order of their names: those of a page come after all of the page before. */
export type StoredPins = readonly PinPage[];

/** Neither the name of a cluster nor JSON has either; and JSON is what the table takes. */
export const NAME_BEGINS = '\u001e';
export const DOCUMENT_BEGINS = '\u001f';

/** To look for a name in a page takes some microseconds; to read it, a quarter of a millisecond. */
const PINS_PER_PAGE = 250;
type Row = readonly [count: number, whole: number, first: string, last: string, text: string];

/**
 * Throws what SQLite throws, and where it is not pins in their order, or a name or a document has more octets than `octetsMax`: in a
 * damaged file a row may say of itself that it has as many as the file, and its pages lead round in circles.
 */
export function* pinPages(
  database: Database,
  octetsMax: number = Number.MAX_SAFE_INTEGER,
): Generator<PinPage, void> {
  const page = database
    .prepare<[string], Row>(
      // octet_length() reads how long a value is, and none of it.
      `SELECT count(*), count(pin), min(name), max(name), group_concat(pin, '') FROM (
         SELECT name, char(${codeOf(NAME_BEGINS)}) || name || char(${codeOf(DOCUMENT_BEGINS)}) || document AS pin FROM (
           SELECT iif(octet_length(cluster_dns) <= ${octetsMax}, cluster_dns, NULL) AS name,
                  iif(octet_length(document) <= ${octetsMax}, document, NULL) AS document
           FROM key_pins WHERE cluster_dns > ? ORDER BY cluster_dns LIMIT ${PINS_PER_PAGE}))`,
    )
    .raw();
  for (let after = ''; ; ) {
    const [count, whole, first, last, text] = page.get(after) as Row;
    if (count === 0) return;
    if (whole < count || !(first > after) || !(last >= first)) throw new Error('these are no pins');
    yield { first, count, text };
    if (count < PINS_PER_PAGE) return;
    after = last;
  }
}

const codeOf = (separator: string): number => separator.charCodeAt(0);
