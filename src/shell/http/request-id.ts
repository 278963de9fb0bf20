import { randomFillSync } from 'node:crypto';

const OCTETS = 12;
/** Drawn from the system's generator for so many ids at once: each draw costs as much as some fifty ids. */
const pool = Buffer.alloc(OCTETS * 128);
let used = pool.length;

/** 96 random bits in hex: unguessable, so that nobody can point at another's request. */
export function newRequestId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString('hex', used, used + OCTETS);
  used += OCTETS;
  return id;
}
