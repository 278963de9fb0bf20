/** Subject and issuer names. */
import * as asn1js from 'asn1js';

export interface SubjectRequest {
  readonly CN?: string;
  readonly O?: readonly string[];
  /** All O values in one RDN's SET, as Go's crypto/x509 writes them; otherwise one RDN each, as OpenSSL does. */
  readonly organizationsInOneRdn?: boolean;
  /** Of every value; default UTF8String (RFC 5280 §4.1.2.4). Older CAs write the others. */
  readonly stringType?: StringType;
}

export type StringType = 'UTF8String' | 'PrintableString' | 'BMPString';

const CN_OID = '2.5.4.3';
const O_OID = '2.5.4.10';

function text(type: StringType, value: string): asn1js.BaseBlock {
  switch (type) {
    case 'UTF8String':
      return new asn1js.Utf8String({ value });
    case 'PrintableString':
      return new asn1js.PrintableString({ value });
    case 'BMPString':
      return new asn1js.BmpString({ value });
  }
}

function attribute(oid: string, type: StringType, value: string): asn1js.Sequence {
  return new asn1js.Sequence({ value: [new asn1js.ObjectIdentifier({ value: oid }), text(type, value)] });
}

/** X.690 §11.6: the elements of a SET OF in DER stand in the order of their encodings. */
function relativeName(attributes: readonly asn1js.Sequence[]): asn1js.Set {
  const sorted = attributes.toSorted((a, b) =>
    Buffer.compare(Buffer.from(a.toBER()), Buffer.from(b.toBER())),
  );
  return new asn1js.Set({ value: sorted });
}

/** The DER of a Name. By hand, because pkijs 4 writes all attributes of a name into one RDN. */
export function nameDer(subject: SubjectRequest): Uint8Array<ArrayBuffer> {
  const type = subject.stringType ?? 'UTF8String';
  const organizations = (subject.O ?? []).map((value) => attribute(O_OID, type, value));
  const rdns =
    subject.organizationsInOneRdn === true && organizations.length > 0
      ? [relativeName(organizations)]
      : organizations.map((one) => relativeName([one]));
  if (subject.CN !== undefined) rdns.push(relativeName([attribute(CN_OID, type, subject.CN)]));
  return new Uint8Array(new asn1js.Sequence({ value: rdns }).toBER());
}
