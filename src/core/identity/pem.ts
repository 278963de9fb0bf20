/** PEM (RFC 7468), strictly: a bundle is either read whole or refused, naming the block that is wrong. */

import { StartupError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { printable } from './printable.ts';

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----$/;
/** What `cat` makes of two files of which the first has no newline at its end. */
const JOINED = /^-----END [A-Z0-9 ]+-----\s*-----BEGIN /;
const BASE64_LINE = /^[A-Za-z0-9+/]+={0,2}$/;

function decode(base64: string): Uint8Array | undefined {
  const octets = Buffer.from(base64, 'base64');
  // Buffer skips what it does not know; only text that comes out the same again was read whole.
  return octets.length > 0 && octets.toString('base64') === base64 ? new Uint8Array(octets) : undefined;
}

/** Text outside of blocks is comment, unless it looks like a broken marker. */
function checkComment(line: string, where: string): void {
  if (line.includes('-----'))
    throw new StartupError(`${where}: a garbled PEM marker: "${printable(line, 80)}"`);
}

function checkLabel(label: string, where: string): void {
  if (label.includes('PRIVATE KEY')) {
    throw new StartupError(`${where} is a private key: a bundle of trust anchors holds certificates only`);
  }
  if (label !== 'CERTIFICATE') {
    throw new StartupError(`${where} is "${printable(label, 60)}"; only CERTIFICATE blocks belong here`);
  }
}

/** The DER of each CERTIFICATE block, in order. `variable` names the setting in every complaint (StartupError). */
export function readPemCertificates(pem: string | Uint8Array, variable: string): readonly Uint8Array[] {
  if (pem.length > LIMITS.bundleBytesMax) {
    throw new StartupError(`${variable}: larger than ${LIMITS.bundleBytesMax} octets`);
  }
  const text = typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1');
  const found: Uint8Array[] = [];
  let label: string | undefined;
  let base64 = '';
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    const where = `${variable}: block ${found.length + 1}`;
    if (label === undefined) {
      const begin = BEGIN.exec(line);
      if (begin === null) {
        checkComment(line, variable);
        continue;
      }
      label = begin[1] ?? '';
      base64 = '';
      checkLabel(label, where);
      continue;
    }
    if (line === `-----END ${label}-----`) {
      const der = decode(base64);
      if (der === undefined) throw new StartupError(`${where} is not base64`);
      found.push(der);
      label = undefined;
      if (found.length > LIMITS.bundleCertificatesMax) {
        throw new StartupError(`${variable}: more than ${LIMITS.bundleCertificatesMax} certificates`);
      }
      continue;
    }
    if (JOINED.test(line)) {
      throw new StartupError(
        `${where}: a newline is missing between its END line and the BEGIN line of the next block`,
      );
    }
    if (line === '' || !BASE64_LINE.test(line)) {
      throw new StartupError(`${where} is garbled at "${printable(line, 40)}"`);
    }
    base64 += line;
  }
  if (label !== undefined) throw new StartupError(`${variable}: block ${found.length + 1} has no END line`);
  if (found.length === 0)
    throw new StartupError(`${variable}: the file holds no certificate${isDer(text) ? DER : ''}`);
  return found;
}

const DER = ' in PEM: it looks like DER (openssl x509 -inform DER -in DER_FILE -out PEM_FILE)';

/** A SEQUENCE whose length takes one to three octets, the first of which is U+FFFD where the file was read as UTF-8. */
const isDer = (text: string): boolean => /^0[\x81-\x83\ufffd]/.test(text);
