/** Subject and issuer names. */
import * as asn1js from 'asn1js';

export interface SubjectRequest {
  readonly CN?: string;
  readonly O?: readonly string[];
  /** All O values in one RDN's SET, as Go's crypto/x509 writes them; otherwise one RDN each, as OpenSSL does. */
  readonly organizationsInOneRdn?: boolean;
}

const CN_OID = '2.5.4.3';
const O_OID = '2.5.4.10';

function attribute(oid: string, value: string): asn1js.Sequence {
  return new asn1js.Sequence({
    value: [new asn1js.ObjectIdentifier({ value: oid }), new asn1js.Utf8String({ value })],
  });
}

/** X.690 §11.6: the elements of a SET OF in DER stand in the order of their encodings. */
function relativeName(attributes: readonly asn1js.Sequence[]): asn1js.Set {
  const sorted = attributes.toSorted((a, b) =>
    Buffer.compare(Buffer.from(a.toBER()), Buffer.from(b.toBER())),
  );
  return new asn1js.Set({ value: sorted });
}

/**
 * The DER of a Name, UTF8String throughout (RFC 5280 §4.1.2.4). By hand, because pkijs 4 writes all attributes of a
 * name into one RDN.
 */
export function nameDer(subject: SubjectRequest): Uint8Array<ArrayBuffer> {
  const organizations = (subject.O ?? []).map((value) => attribute(O_OID, value));
  const rdns =
    subject.organizationsInOneRdn === true && organizations.length > 0
      ? [relativeName(organizations)]
      : organizations.map((one) => relativeName([one]));
  if (subject.CN !== undefined) rdns.push(relativeName([attribute(CN_OID, subject.CN)]));
  return new Uint8Array(new asn1js.Sequence({ value: rdns }).toBER());
}
