/** GeneralName (RFC 5280 §4.2.1.6): its type and its raw octets. Never a printed form (Node CVE-2021-44531 and after). */

import { context, contextConstructed, DerError, type DerNode, Fields, readWhole } from './der.ts';
import { readOid } from './der-values.ts';
import { type DistinguishedName, readDistinguishedName } from './distinguished-name.ts';
import { printableOctets } from './printable.ts';

export const GENERAL_NAME_TYPES = Object.freeze([
  'otherName',
  'rfc822Name',
  'dNSName',
  'x400Address',
  'directoryName',
  'ediPartyName',
  'uniformResourceIdentifier',
  'iPAddress',
  'registeredID',
] as const);
export type GeneralNameType = (typeof GENERAL_NAME_TYPES)[number];

export interface GeneralName {
  readonly type: GeneralNameType;
  /** The value's octets, exactly as the CA signed them. */
  readonly octets: Uint8Array;
  /** Of a directoryName only. */
  readonly directoryName?: DistinguishedName;
}

/** The types whose value has fields of its own: their tag carries the constructed bit. */
const CONSTRUCTED: ReadonlySet<GeneralNameType> = new Set([
  'otherName',
  'x400Address',
  'directoryName',
  'ediPartyName',
]);

/** Those whose octets are a text, and can be somebody's identity. */
const TEXTS: readonly GeneralNameType[] = ['rfc822Name', 'dNSName', 'uniformResourceIdentifier'];

export const isText = (type: GeneralNameType | undefined): boolean =>
  type !== undefined && TEXTS.includes(type);

export function readGeneralName(node: DerNode, what: string): GeneralName {
  const number = node.tag & 0x1f;
  const type = GENERAL_NAME_TYPES[number];
  if (type === undefined) throw new DerError(`${what} has the unknown type ${number}`);
  const tag = CONSTRUCTED.has(type) ? contextConstructed(number) : context(number);
  if (node.tag !== tag) throw new DerError(`${what} has tag 0x${node.tag.toString(16)}, no ${type}`);
  if (type === 'directoryName') {
    // Name is a CHOICE, so [4] is explicit: the name proper is inside.
    return Object.freeze({
      type,
      octets: node.content,
      directoryName: readDistinguishedName(readWhole(node.content), what),
    });
  }
  if (type === 'otherName') {
    const fields = new Fields(node, what, tag);
    readOid(fields.next(undefined, 'type-id'), `type-id of ${what}`);
    fields.next(contextConstructed(0), 'value');
    fields.end();
  }
  return Object.freeze({ type, octets: node.content });
}

/** For people: `DNS:a.example.com`. */
export function describeGeneralName(name: GeneralName): string {
  const label = { dNSName: 'DNS', uniformResourceIdentifier: 'URI', rfc822Name: 'email', iPAddress: 'IP' };
  if (name.directoryName !== undefined) return `dirName:${name.directoryName.readable}`;
  if (name.type === 'iPAddress') return `IP:${[...name.octets.subarray(0, 32)].join('.')}`;
  const prefix = name.type in label ? label[name.type as keyof typeof label] : name.type;
  return `${prefix}:${printableOctets(name.octets)}`;
}
