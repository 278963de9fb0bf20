import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isRecord } from '../core/fleet/canonical.ts';
import type { CheckedPolicies } from '../core/policy/policy-set.ts';

/**
 * What the tests have checked of the files that the gateway is delivered with, so that a start need not do it once more: it takes two
 * seconds of a core. `npm run checked` writes the file, and a test holds it against what it says. Whatever has other
 * bytes than those (a document that was edited, policies of one's own) is checked by the start as a whole.
 */
export interface Checked {
  readonly documentSha256: string;
  readonly policies: CheckedPolicies;
  /** What openapi.yaml comes to: its text takes a hundred times as long to read. */
  readonly document: object;
}

export const CHECKED_PATH = fileURLToPath(new URL('checked.json', import.meta.url));

const NOTHING: Checked = Object.freeze({
  documentSha256: '',
  policies: Object.freeze({ sha256: '', schema: {}, policies: [] }),
  document: {},
});

/** A file that is not there, or not right, vouches for nothing. */
export async function readChecked(path = CHECKED_PATH): Promise<Checked> {
  try {
    const read: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isChecked(read) ? read : NOTHING;
  } catch {
    return NOTHING;
  }
}

function isChecked(value: unknown): value is Checked {
  return (
    isRecord(value) &&
    typeof value['documentSha256'] === 'string' &&
    isRecord(value['policies']) &&
    typeof value['policies']['sha256'] === 'string' &&
    isRecord(value['policies']['schema']) &&
    Array.isArray(value['policies']['policies']) &&
    isRecord(value['document'])
  );
}

export function documentDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
