import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import { chainPem, type Minted, mintClusterCertificate } from '../certs-dev/mint.ts';

/**
 * Certificates of a whole fleet at the price of a signature each: one is minted as always, and its name, serial and signature are put
 * into its octets anew. All have one key, which nobody who checks certificates looks at.
 */
export interface MintedFleet {
  /** PKCS #8, PEM. */
  readonly keyPem: string;
  /** Certificates and those above them, PEM. `number`: from 0 on, six digits of the name. */
  chainOf(number: number): string;
}

const nameOf = (number: number): string => `cluster-${String(number).padStart(6, '0')}`;

/** DNS names are `cluster-NNNNNN.k8s.example.com`, as in insertLargeFleet. `issuer` signs with ECDSA and SHA-256. */
export async function mintFleet(issuer: Minted): Promise<MintedFleet> {
  const pattern = await mintClusterCertificate(`${nameOf(0)}.k8s.example.com`, issuer);
  const key = createPrivateKey(issuer.keyPem);
  const [signed = Buffer.alloc(0), algorithm = Buffer.alloc(0)] = partsOf(Buffer.from(pattern.der));
  const above = chainPem(pattern).split(/(?<=-----END CERTIFICATE-----\n)/).slice(1).join('');
  return {
    keyPem: pattern.keyPem,
    chainOf(number) {
      const own = replaced(Buffer.from(signed), nameOf(0), nameOf(number));
      const at = own.indexOf(pattern.serial);
      randomBytes(pattern.serial.length - 1).copy(own, at + 1);
      const signature = Buffer.concat([Buffer.of(0), sign('sha256', own, key)]);
      const der = sequence(0x30, Buffer.concat([own, algorithm, sequence(0x03, signature)]));
      return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n${above}`;
    },
  };
}

function replaced(octets: Buffer, from: string, to: string): Buffer {
  for (let at = octets.indexOf(from); at !== -1; at = octets.indexOf(from, at + 1)) octets.write(to, at, 'latin1');
  return octets;
}

/** The elements of the outermost sequence, with their headers. */
function partsOf(der: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = contentAt(der, 0); at < der.length; ) {
    const end = contentAt(der, at) + lengthAt(der, at);
    parts.push(der.subarray(at, end));
    at = end;
  }
  return parts;
}

const isLong = (der: Buffer, at: number): boolean => (der[at + 1] ?? 0) >= 0x80;

const lengthOctets = (der: Buffer, at: number): number => (der[at + 1] ?? 0) & 0x7f;

function contentAt(der: Buffer, at: number): number {
  return at + 2 + (isLong(der, at) ? lengthOctets(der, at) : 0);
}

function lengthAt(der: Buffer, at: number): number {
  return isLong(der, at) ? der.readUIntBE(at + 2, lengthOctets(der, at)) : (der[at + 1] ?? 0);
}

function sequence(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const header = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}
