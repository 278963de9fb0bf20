import { hash } from 'node:crypto';
import { type BoundedMemory, boundedMemory } from '../core/bounded-memory.ts';
import { LIMITS } from '../core/limits.ts';
import type { CredentialKind, Presentation, PresentedCertificate } from './presentations.ts';
import type { Sighting, StoredSighting } from './store/sightings.ts';
import type { Presented } from './tls/peer.ts';

/** Presentations as the store keeps them, and what many of them share. */

type Chain = Pick<Presentation, 'leaf' | 'issuers'>;

export const NO_CHAIN: Chain = Object.freeze({ leaf: undefined, issuers: Object.freeze([]) });

export function keepChain(presented: Presented | undefined, issuers: IssuerTable): Chain {
  const [leaf, ...above] = presented?.chain ?? [];
  // A copy of its own: what OpenSSL hands out may be a slice of something larger.
  return leaf === undefined ? NO_CHAIN : { leaf: new Uint8Array(leaf), issuers: issuers.keep(above) };
}

/** What is the same for many, once. */
export interface Alike {
  tls(tls: Presentation['tls']): Presentation['tls'];
  text(text: string): string;
  texts(texts: readonly string[]): readonly string[];
}

export function createAlike(): Alike {
  const agreed = boundedMemory<string, Presentation['tls']>(ALIKE_MAX);
  const texts = boundedMemory<string, string>(ALIKE_MAX);
  const lists = boundedMemory<string, readonly string[]>(ALIKE_MAX);
  const same = <T extends {}>(memory: BoundedMemory<string, T>, key: string, one: T): T => {
    const before = memory.get(key);
    if (before === undefined) memory.set(key, one);
    return before ?? one;
  };
  return {
    tls: (tls) => same(agreed, `${tls.version} ${tls.cipher} ${tls.group}`, tls),
    text: (text) => same(texts, text, text),
    texts: (list) => same(lists, list.join(), list),
  };
}

const ALIKE_MAX = 256;

/** The same intermediate in a thousand chains is one object. */
export interface IssuerTable {
  keep(above: readonly Uint8Array[]): readonly Uint8Array[];
}

export const fingerprint = (der: Uint8Array): string => hash('sha256', der);

export function createIssuerTable(): IssuerTable {
  const table = boundedMemory<string, Uint8Array>(LIMITS.presentedIntermediatesMax);
  const chains = boundedMemory<string, readonly Uint8Array[]>(LIMITS.presentedIntermediatesMax);
  const one = (der: Uint8Array, sha256: string): Uint8Array => {
    const known = table.get(sha256);
    if (known !== undefined) return known;
    const copy = new Uint8Array(der);
    table.set(sha256, copy);
    return copy;
  };
  return {
    keep(above) {
      const fingerprints = above.map(fingerprint);
      const key = fingerprints.join();
      const known = chains.get(key);
      if (known !== undefined) return known;
      const chain = Object.freeze(above.map((der, index) => one(der, fingerprints[index] ?? '')));
      chains.set(key, chain);
      return chain;
    },
  };
}

type Document = Omit<Presentation, 'kind' | 'name' | 'credential' | 'leaf' | 'issuers'> & {
  readonly issuers: readonly string[];
};

export function writeSighting(presentation: Presentation): Sighting {
  const { kind, name, credential, leaf, issuers, ...rest } = presentation;
  const above = issuers.map((der) => ({ sha256: fingerprint(der), der }));
  const document: Document = { ...rest, issuers: above.map(({ sha256 }) => sha256) };
  return { kind, name, credential, document: JSON.stringify(document), leaf, issuers: above };
}

export function readSighting(row: StoredSighting, table: IssuerTable, alike: Alike): Presentation {
  // JSON has no undefined.
  const {
    issuers: _,
    certificate = undefined,
    tokenId = undefined,
    tls,
    source,
    ...rest
  } = JSON.parse(row.document) as Document;
  return {
    ...rest,
    tls: alike.tls(tls),
    source: alike.text(source),
    certificate: certificate === undefined ? undefined : sharing(certificate, alike),
    tokenId,
    kind: row.kind === 'cluster' ? 'cluster' : 'operator',
    name: row.name,
    credential: CREDENTIALS.find((one) => one === row.credential) ?? 'certificate',
    leaf: undefined,
    issuers: table.keep(row.issuers),
  };
}

const CREDENTIALS: readonly CredentialKind[] = ['certificate', 'token', 'observed'];

function sharing(certificate: PresentedCertificate, alike: Alike): PresentedCertificate {
  return {
    ...certificate,
    issuer: alike.text(certificate.issuer),
    anchorSha256: alike.text(certificate.anchorSha256),
    issuersSha256: alike.texts(certificate.issuersSha256),
  };
}
