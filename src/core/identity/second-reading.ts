/**
 * The same octets read by pkijs, an independent parser: whatever decides who somebody is must come out the same, or the
 * certificate is refused. A certificate that two parsers read differently is how one of them was fooled elsewhere.
 */

import { type AltName, type BasicConstraints, Certificate, type ExtKeyUsage } from 'pkijs';
import type { CertificateFacts } from './certificate.ts';
import { GENERAL_NAME_TYPES } from './general-name.ts';
import { OID } from './oids.ts';
import { hexOf } from './printable.ts';

type Facts = Omit<
  CertificateFacts,
  'der' | 'sha256' | 'spkiSha256' | 'version' | 'selfIssued' | 'signatureOctets'
>;

/** The first thing that pkijs reads differently; undefined: both readings agree. */
export function findDisagreement(der: Uint8Array, facts: Facts): string | undefined {
  let other: Certificate;
  try {
    other = Certificate.fromBER(new Uint8Array(der).buffer);
  } catch (cause) {
    return `it cannot be read at all (${cause instanceof Error ? cause.message : 'no reason'})`;
  }
  const comparisons: readonly (readonly [what: string, ours: unknown, theirs: unknown])[] = [
    ['version', 2, other.version],
    ['serial number', facts.serial, withoutSign(other.serialNumber.valueBlock.valueHexView)],
    ['signed part', hexOf(facts.tbsDer), hexOf(other.tbsView)],
    ['issuer', hexOf(facts.issuer.der), hexOf(new Uint8Array(other.issuer.valueBeforeDecode))],
    ['subject', hexOf(facts.subject.der), hexOf(new Uint8Array(other.subject.valueBeforeDecode))],
    ['notBefore', facts.notBefore, other.notBefore.value.getTime()],
    ['notAfter', facts.notAfter, other.notAfter.value.getTime()],
    [
      'public key',
      hexOf(facts.spkiDer),
      hexOf(new Uint8Array(other.subjectPublicKeyInfo.toSchema().toBER())),
    ],
    ['subjectAltName', ourNames(facts), theirNames(other)],
    ['basicConstraints', ourConstraints(facts), theirConstraints(other)],
    [
      'extendedKeyUsage',
      facts.extendedKeyUsage?.join(),
      parsed<ExtKeyUsage>(other, OID.extendedKeyUsage)?.keyPurposes.join(),
    ],
  ];
  return comparisons.find(([, ours, theirs]) => ours !== theirs)?.[0];
}

function withoutSign(octets: Uint8Array): string {
  return hexOf(octets[0] === 0 ? octets.subarray(1) : octets);
}

function parsed<T>(certificate: Certificate, oid: string): T | undefined {
  return certificate.extensions?.find(({ extnID }) => extnID === oid)?.parsedValue as T | undefined;
}

/** Types of all names, and the values of those kinds that can be somebody's identity. */
const NAMED_IN_TEXT: readonly number[] = [1, 2, 6];

function ourNames(facts: Facts): string {
  const names = facts.subjectAltNames.map(({ type, octets }): [number, string] => {
    const number = GENERAL_NAME_TYPES.indexOf(type);
    return [number, NAMED_IN_TEXT.includes(number) ? Buffer.from(octets).toString('latin1') : ''];
  });
  return JSON.stringify(names);
}

function theirNames(certificate: Certificate): string {
  const names = parsed<AltName>(certificate, OID.subjectAltName)?.altNames ?? [];
  return JSON.stringify(
    names.map(({ type, value }) => [type, NAMED_IN_TEXT.includes(type) ? String(value) : '']),
  );
}

function ourConstraints({ basicConstraints }: Facts): string {
  return `${basicConstraints?.ca ?? false} ${basicConstraints?.pathLen ?? 'none'}`;
}

function theirConstraints(certificate: Certificate): string {
  const constraints = parsed<BasicConstraints>(certificate, OID.basicConstraints);
  return `${constraints?.cA ?? false} ${constraints?.pathLenConstraint ?? 'none'}`;
}
