/** The signatures of a fleet's certificates in a file, one place for each cluster: what one process signed, every other one presents. */
import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';
import type { SignatureOf } from '../mint-fleet.ts';

/** One octet for the length; a P-256 signature is a SEQUENCE of two INTEGERs of at most 33 octets. */
const PLACE_OCTETS = 1 + 72;

/** Signs each cluster once: to be called with how many there have to be. `path`: no file is there yet. */
export function writeSignatures(path: string, signatureOf: SignatureOf): (clusters: number) => void {
  let written = 0;
  return (clusters) => {
    if (clusters <= written) return;
    const places = Buffer.alloc((clusters - written) * PLACE_OCTETS);
    for (let number = written; number < clusters; number++) {
      const at = (number - written) * PLACE_OCTETS;
      const signature = signatureOf(number);
      places.writeUInt8(signature.length, at);
      places.set(signature, at + 1);
    }
    appendFileSync(path, places);
    written = clusters;
  };
}

/** Throws for a cluster of which no signature is written: a new one would be another certificate. */
export function readSignatures(path: string): SignatureOf {
  return (number) => {
    const place = Buffer.alloc(PLACE_OCTETS);
    const file = openSync(path, 'r');
    const octets = readSync(file, place, 0, PLACE_OCTETS, number * PLACE_OCTETS);
    closeSync(file);
    if (octets < PLACE_OCTETS) throw new Error(`no signature is kept of cluster ${number}`);
    return place.subarray(1, 1 + place.readUInt8(0));
  };
}
