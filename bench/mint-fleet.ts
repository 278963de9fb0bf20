/**
 * Certificates for a whole fleet, by the ten thousand a second: one is minted in full, every other is the same octets with another
 * name and serial number, signed anew. All leaves share one P-256 key, which no gateway can tell from keys of their own.
 * No two ECDSA signatures of the same octets are alike, so to sign a certificate twice is to renew it: signatures are kept for those who
 * have to come again with the very certificate that they came with.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { chainPem, type Minted, mintClusterCertificate, pemOf } from '../certs-dev/mint.ts';
import { dnsOf } from './harness/fleet-store.ts';

/** All that a process needs to mint; text and octets only, so that it can be sent to one. */
export interface FleetTemplate {
  /** The signed part (TBSCertificate) of the cluster with number 0, DER. */
  readonly signed: Uint8Array;
  readonly serialAt: number;
  /** Where its name stands: subject and subjectAltName. */
  readonly namesAt: readonly number[];
  /** AlgorithmIdentifier behind the signed part, DER. */
  readonly algorithm: Uint8Array;
  readonly issuerKeyPem: string;
  /** What is presented behind each leaf. */
  readonly intermediatesPem: string;
  readonly leafKeyPem: string;
}

const SERIAL_OCTETS = 16;

/** `issuer`: a CA with a P-256 key. */
export async function fleetTemplate(issuer: Minted): Promise<FleetTemplate> {
  const leaf = await mintClusterCertificate(dnsOf(0), issuer);
  const certificate = readElement(leaf.der, 0);
  const signed = readElement(leaf.der, certificate.contentAt);
  const algorithm = readElement(leaf.der, signed.end);
  const octets = Buffer.from(leaf.der.subarray(certificate.contentAt, signed.end));
  const name = Buffer.from(dnsOf(0), 'latin1');
  const namesAt: number[] = [];
  for (let at = octets.indexOf(name); at >= 0; at = octets.indexOf(name, at + 1)) namesAt.push(at);
  const serialAt = octets.indexOf(leaf.serial);
  if (leaf.serial.length !== SERIAL_OCTETS || serialAt < 0 || namesAt.length === 0)
    throw new Error('the template is not as it was thought');
  return {
    signed: octets,
    serialAt,
    namesAt,
    algorithm: leaf.der.slice(signed.end, algorithm.end),
    issuerKeyPem: issuer.keyPem,
    intermediatesPem: chainPem(leaf).slice(leaf.pem.length),
    leafKeyPem: leaf.keyPem,
  };
}

/** The certificate of cluster `number`, and all above it without the root: PEM. */
export type MintLeaf = (number: number) => string;

/** A signature (DER) of the cluster with this number. */
export type SignatureOf = (number: number) => Uint8Array;

/** Without `signatureOf` each certificate is a new one, each time. */
export function fleetMint(
  template: FleetTemplate,
  signatureOf: SignatureOf = fleetSigner(template),
): MintLeaf {
  return (number) => {
    const signed = signedPart(template, number);
    const signature = signatureOf(number);
    const bits = element(0x03, Buffer.concat([Buffer.of(0), signature]));
    const der = element(0x30, Buffer.concat([signed, template.algorithm, bits]));
    return pemOf('CERTIFICATE', der) + template.intermediatesPem;
  };
}

export function fleetSigner(template: FleetTemplate): SignatureOf {
  const issuerKey: KeyObject = createPrivateKey(template.issuerKeyPem);
  return (number) => sign('sha256', signedPart(template, number), issuerKey);
}

function signedPart(template: FleetTemplate, number: number): Buffer {
  const signed = Buffer.from(template.signed);
  for (const at of template.namesAt) signed.write(dnsOf(number), at, 'latin1');
  // The template's first octet stays: positive, and no leading zero.
  signed.writeUInt32BE(number, template.serialAt + SERIAL_OCTETS - 4);
  return signed;
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

/** Of DER that we made ourselves: lengths of at most two octets. */
function readElement(der: Uint8Array, at: number): { readonly contentAt: number; readonly end: number } {
  const view = Buffer.from(der.buffer, der.byteOffset, der.byteLength);
  const first = view.readUInt8(at + 1);
  if (first < 0x80) return { contentAt: at + 2, end: at + 2 + first };
  const octets = first & 0x7f;
  const contentAt = at + 2 + octets;
  return { contentAt, end: contentAt + view.readUIntBE(at + 2, octets) };
}
