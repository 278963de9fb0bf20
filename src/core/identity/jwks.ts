import { StartupError } from '../errors.ts';
import { LIMITS } from '../limits.ts';

/** A JSON Web Key Set (RFC 7517 §5), as far as we look into it; which key fits is for the library. */
export interface KeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/** Throws StartupError: not a key set, empty, too large, or with keys that are secret or could be. */
export function readKeySet(text: string, source: string): KeySet {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message would quote the file.
    throw new StartupError(`${source} is not JSON`);
  }
  const keys = isRecord(parsed) ? parsed['keys'] : undefined;
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isRecord)) {
    throw new StartupError(`${source} is not a JSON Web Key Set with at least one key`);
  }
  if (keys.length > LIMITS.jwksKeysMax) {
    throw new StartupError(`${source} holds more than ${LIMITS.jwksKeysMax} keys`);
  }
  keys.forEach((key, index) => {
    if (key['kty'] === 'oct' || 'd' in key || 'k' in key) {
      throw new StartupError(`${source}: key ${index + 1} is a secret; this file is for public keys`);
    }
    if (typeof key['kid'] !== 'string') {
      throw new StartupError(`${source}: key ${index + 1} has no kid, so no token could name it`);
    }
  });
  return Object.freeze({ keys: Object.freeze(keys) });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
