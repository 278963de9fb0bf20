import { createHash } from 'node:crypto';
import * as asn1js from 'asn1js';
import { pemOf } from '../../certs-dev/mint.ts';
import type { MintedChain } from './pki.ts';

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export interface TwinChain {
  readonly chainPem: string;
  readonly keyPem: string;
  readonly sha256: string;
}

/** What anybody can make of a certificate that a P-256 key signed: the same, with s replaced by n − s. By asn1js, not by our own writer. */
export function twinOf(certificate: MintedChain): TwinChain {
  const sequence = asn1js.fromBER(new Uint8Array(certificate.der).buffer).result as asn1js.Sequence;
  const [tbs, algorithm, bits] = sequence.valueBlock.value as [
    asn1js.Sequence,
    asn1js.Sequence,
    asn1js.BitString,
  ];
  const signature = asn1js.fromBER(bits.valueBlock.valueHexView.slice().buffer).result as asn1js.Sequence;
  const [r, s] = signature.valueBlock.value as [asn1js.Integer, asn1js.Integer];
  const twin = asn1js.Integer.fromBigInt(P256_ORDER - s.toBigInt());
  const other = new asn1js.Sequence({ value: [r, twin] }).toBER();
  const der = Buffer.from(
    new asn1js.Sequence({ value: [tbs, algorithm, new asn1js.BitString({ valueHex: other })] }).toBER(),
  );
  return {
    chainPem: certificate.chainPem.replace(certificate.pem, pemOf('CERTIFICATE', der)),
    keyPem: certificate.keyPem,
    sha256: createHash('sha256').update(der).digest('hex'),
  };
}
