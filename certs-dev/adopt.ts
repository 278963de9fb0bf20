/** Takes a certificate of an earlier run as if it had just been minted, if it is what would be minted now. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import * as pkijs from 'pkijs';
import { distinguishedName, type Minted, type MintRequest, pemOf } from './mint.ts';
import { keyIdentifier, requestedExtensions } from './mint-extensions.ts';
import type { KeyPair } from './mint-keys.ts';

export type Adopted =
  | { readonly usable: true; readonly minted: Minted }
  /** `keys`: what is left to reuse, e.g. so that a CA keeps its key. */
  | { readonly usable: false; readonly problem: string; readonly keys?: KeyPair };

function octets(schema: { toBER(): ArrayBuffer }): Buffer {
  return Buffer.from(schema.toBER());
}

/** P-256 only: the development PKI has no other keys. */
export function adoptKey(keyPem: string): KeyPair | undefined {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(keyPem);
  } catch {
    return undefined;
  }
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
  return Object.freeze({ kind: 'P-256', privateKey, publicKey: createPublicKey(privateKey) });
}

/** `request` without dates and serial: these are the certificate's own. */
export function adopt(certificatePem: string, keyPem: string, request: MintRequest): Adopted {
  const keys = adoptKey(keyPem);
  if (keys === undefined) return { usable: false, problem: 'its key cannot be read' };
  let x509: X509Certificate;
  let certificate: pkijs.Certificate;
  try {
    x509 = new X509Certificate(certificatePem);
    certificate = pkijs.Certificate.fromBER(x509.raw);
  } catch {
    return { usable: false, problem: 'it cannot be read', keys };
  }
  if (!x509.checkPrivateKey(keys.privateKey)) {
    return { usable: false, problem: 'its key belongs to another certificate' };
  }
  const issuerKey = request.issuer?.keys.publicKey ?? keys.publicKey;
  const issuerName = distinguishedName(request.issuer?.request.subject ?? request.subject);
  const issued = octets(certificate.issuer.toSchema()).equals(octets(issuerName.toSchema()));
  if (!issued || !x509.verify(issuerKey)) {
    return { usable: false, problem: 'it was issued by another CA', keys };
  }
  const subjectKeyId = keyIdentifier(certificate.subjectPublicKeyInfo);
  const expected = requestedExtensions(request, {
    subjectKeyId,
    ...(request.issuer === undefined ? {} : { authorityKeyId: request.issuer.subjectKeyId }),
    subjectIsEmpty: false,
  });
  const sameSubject = octets(certificate.subject.toSchema()).equals(
    octets(distinguishedName(request.subject).toSchema()),
  );
  const encoded = (extensions: readonly pkijs.Extension[]): Buffer =>
    Buffer.concat(extensions.map((extension) => octets(extension.toSchema())));
  if (!sameSubject || !encoded(certificate.extensions ?? []).equals(encoded(expected))) {
    return { usable: false, problem: 'it says something else than is wanted now', keys };
  }
  const minted: Minted = {
    der: new Uint8Array(x509.raw),
    pem: pemOf('CERTIFICATE', x509.raw),
    keyPem,
    ...(request.issuer === undefined ? {} : { issuer: request.issuer }),
    request,
    serial: new Uint8Array(certificate.serialNumber.valueBlock.valueHexView),
    notBefore: x509.validFromDate,
    notAfter: x509.validToDate,
    keys,
    subjectKeyId,
  };
  return { usable: true, minted: Object.freeze(minted) };
}
