import type { Database } from 'better-sqlite3';

/**
 * Some pins as the octets that they were stored as: for each NAME_BEGINS, the cluster's DNS name, DOCUMENT_BEGINS and its JSON. 100,000
 * of them are read in a third of the time that as many rows take, and are a few hundred objects instead of 200,000.
 */
export interface PinPage {
  /** The least of its names. */
  readonly first: string;
  readonly count: number;
  readonly octets: Buffer;
}

/** In the order of their names: those of a page come after all of the page before. */
export type StoredPins = readonly PinPage[];

/** Neither the name of a cluster nor JSON has either; and JSON is what the table takes. */
export const NAME_BEGINS = '\u001e';
export const DOCUMENT_BEGINS = '\u001f';

/** To look for a name in a page takes some microseconds; to read it, a quarter of a millisecond. */
const PINS_PER_PAGE = 250;

type Row = readonly [count: number, first: string, last: string, octets: Buffer];

/** Throws what SQLite throws, and where names do not come in their order: a sealed file that is damaged may lead round in circles. */
export function readPins(database: Database): StoredPins {
  const read = database
    .prepare<[string], Row>(
      `SELECT count(*), min(cluster_dns), max(cluster_dns), CAST(group_concat(pin, '') AS BLOB) FROM (
         SELECT cluster_dns, char(${codeOf(NAME_BEGINS)}) || cluster_dns || char(${codeOf(DOCUMENT_BEGINS)}) || document AS pin
         FROM key_pins WHERE cluster_dns > ? ORDER BY cluster_dns LIMIT ${PINS_PER_PAGE})`,
    )
    .raw();
  const pages: PinPage[] = [];
  for (let after = ''; ; ) {
    const [count, first, last, octets] = read.get(after) as Row;
    if (count > 0 && !(first > after && last >= first)) throw new Error('these are no pins');
    if (count > 0) pages.push({ first, count, octets });
    if (count < PINS_PER_PAGE) return pages;
    after = last;
  }
}

function codeOf(separator: string): number {
  return separator.charCodeAt(0);
}
