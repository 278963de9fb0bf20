import { createHash } from 'node:crypto';

/**
 * The audit trail as a chain: each row's hash covers the row and the hash before it, so that no row can be changed, taken out
 * or moved without breaking every hash from there on. Whoever can write the file can make a new chain; what shows that is a head
 * that was kept elsewhere (head.ts).
 */

export interface AuditRow {
  /** From 1, without a gap. */
  readonly sequence: number;
  /** JSON, exactly as it was hashed. */
  readonly document: string;
  /** SHA-256, lower-case hex. */
  readonly hash: string;
}

/** What the first row's hash is chained to. */
export const GENESIS = '0'.repeat(64);

/** `document` comes last, so that nothing in it can be taken for what stands before it. */
export function hashRow(previousHash: string, sequence: number, document: string): string {
  return createHash('sha256')
    .update(`fluxgate audit 1\n${previousHash}\n${sequence}\n`)
    .update(document, 'utf8')
    .digest('hex');
}

export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
}

export type ChainProblem = {
  /** The first row that is wrong. */
  readonly sequence: number;
  readonly problem: string;
};

/** Checks rows in their order. `check` gives the first problem, after which nothing more can be said of the chain. */
export function createChainCheck(): {
  check(row: AuditRow): ChainProblem | undefined;
  readonly end: ChainEnd;
} {
  let end: ChainEnd = { sequence: 0, hash: GENESIS };
  return {
    get end() {
      return end;
    },
    check({ sequence, document, hash }) {
      const expected = end.sequence + 1;
      if (sequence !== expected) {
        const gone =
          sequence - 1 === expected ? `row ${expected} is` : `rows ${expected} to ${sequence - 1} are`;
        return { sequence: expected, problem: `${gone} missing` };
      }
      if (hashRow(end.hash, sequence, document) !== hash) {
        return {
          sequence,
          problem: `row ${sequence} is not what was written there: it was changed, or moved from another place`,
        };
      }
      end = { sequence, hash };
      return undefined;
    },
  };
}
