import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from '../core/errors.ts';
import { type CrlFacts, readCrl } from '../core/identity/crl.ts';
import { readCrlBlocks } from '../core/identity/crl-pem.ts';
import { CrlRefused } from '../core/identity/crl-refused.ts';
import { type CrlSet, createCrlSet, findCrlIssuer } from '../core/identity/crl-set.ts';
import type { BoundCrl, CrlPolicy } from '../core/identity/crl-state.ts';
import { DerError } from '../core/identity/der.ts';
import { printable } from '../core/identity/printable.ts';
import type { Trust } from '../core/identity/trust.ts';
import { LIMITS } from '../core/limits.ts';
import { readRegularFile, UnreadableFile } from './read-file.ts';
import { inSlices } from './slices.ts';

export interface CrlDirectory {
  /** undefined: no CRL_DIR, so nothing is revoked by CRLs. */
  readonly directory: string | undefined;
  readonly policy: CrlPolicy;
  readonly trust: Trust;
  /** The set in force. */
  readonly previous: CrlSet | undefined;
  readonly nowMs: number;
}

/**
 * Reads every CRL of the directory and verifies it against the bundles. Throws StartupError, naming the file, where one of
 * them is not what it should be: at start the gateway does not start, on a reload the last good state stays in force.
 */
export async function loadCrls(from: CrlDirectory): Promise<CrlSet> {
  const { directory, policy, trust, previous, nowMs } = from;
  const crls: BoundCrl[] = [];
  const known = new Map((previous?.crls ?? []).map(({ facts }) => [facts.sha256, facts]));
  let octetsLeft = LIMITS.crlDirectoryBytesMax;
  for (const name of directory === undefined ? [] : await listNames(directory)) {
    const octets = await readOctets(join(directory ?? '', name), name, octetsLeft);
    if (octets === undefined) continue;
    octetsLeft -= octets.length;
    try {
      crls.push(...(await inSlices(readFileCrls(octets, name, trust, known))));
    } catch (error) {
      if (!(error instanceof DerError) && !(error instanceof CrlRefused)) throw error;
      throw new StartupError(`CRL_DIR: ${printable(name)}: ${error.message}`, error);
    }
  }
  return createCrlSet({ crls, previous, policy, trust, nowMs });
}

function* readFileCrls(
  octets: Uint8Array,
  source: string,
  trust: Trust,
  known: ReadonlyMap<string, CrlFacts>,
): Generator<void, readonly BoundCrl[]> {
  const found: BoundCrl[] = [];
  for (const der of yield* readCrlBlocks(octets)) {
    const facts: CrlFacts = yield* readCrl(der, known);
    const issuer = yield* findCrlIssuer(facts, trust);
    found.push(Object.freeze({ facts, issuer, source, remembered: false }));
  }
  return found;
}

/** Names that begin with a dot are Kubernetes' own (`..data` and what it points to). */
async function listNames(directory: string): Promise<readonly string[]> {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartupError(`CRL_DIR: ${directory} cannot be listed (${code})`, error);
  }
  const files = names.filter((one) => !one.startsWith('.')).sort();
  if (files.length > LIMITS.crlFilesMax) {
    throw new StartupError(`CRL_DIR: ${directory} holds more than ${LIMITS.crlFilesMax} files`);
  }
  return files;
}

/** PEM is a third longer than what is in it. */
const FILE_OCTETS_MAX = LIMITS.crlBytesMax * 1.5;

/** Undefined: a directory, which is passed over. */
async function readOctets(path: string, name: string, octetsLeft: number): Promise<Uint8Array | undefined> {
  try {
    return await readRegularFile(path, Math.min(FILE_OCTETS_MAX, octetsLeft));
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    if (error.kind === 'directory') return undefined;
    const together = error.kind === 'too_large' && octetsLeft < FILE_OCTETS_MAX;
    const why = together
      ? `is too large: together they may have ${LIMITS.crlDirectoryBytesMax} octets`
      : error.message;
    throw new StartupError(`CRL_DIR: ${printable(name)} ${why}`, error);
  }
}
