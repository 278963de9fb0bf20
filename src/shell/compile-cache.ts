import { fileURLToPath } from 'node:url';

/**
 * Where Node keeps what it made of the sources (types stripped, code compiled), so that a start need not make it again: beside the
 * code, since whoever can write there can write code. Never below the data directory. See docs/decisions/compile-cache.md.
 */
export const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/fluxgate', import.meta.url));
