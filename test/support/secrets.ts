import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What no output may hold, whoever it belongs to. */
const SHAPES: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /\b(Bearer|Basic) [\w+/=.~-]{12,}/i,
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/,
];

/** A flood of guessed tokens is judged by its first ones. */
const NOTED_MAX = 2_000;
/** Shorter ones are words that an answer may well hold. */
const OCTETS_MIN = 16;
const noted = new Set<string>();

/** From now on nothing that a gateway of this process writes may hold it. */
export function noteSecret(secret: string | undefined): void {
  if (secret !== undefined && secret.length >= OCTETS_MIN && noted.size < NOTED_MAX) noted.add(secret);
}

/** The lines of a key's PEM that are the key. */
export function noteKey(pem: string): void {
  for (const line of pem.split('\n')) if (line.length > 40) noteSecret(line);
}

/** `what` names the place; the message does not repeat the secret. */
export function assertNoSecret(what: string, text: string): void {
  for (const shape of SHAPES) assert.ok(!shape.test(text), `${what} holds something like ${shape}`);
  let n = 0;
  for (const secret of noted) {
    n++;
    assert.ok(!text.includes(secret), `${what} holds a secret, the ${n}th noted, of ${secret.length} octets`);
  }
}

/** /metrics, as it is before the gateway closes. */
export async function metricsText(admin: AddressInfo | undefined): Promise<string> {
  if (admin === undefined) return '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get({ host: admin.address, port: admin.port, path: '/metrics', agent: false }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => resolve(text)).on('error', reject);
  }).on('error', () => resolve(''));
  return await promise;
}

/** The store with everything in it, the audit trail too, octet for octet; empty where there is no file. */
export async function storeText(path: string): Promise<string> {
  return await readFile(path, 'latin1').catch(() => '');
}
