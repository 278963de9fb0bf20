/** Chains that keep or break one rule each, everything else about them being right. Around now: OpenSSL has the machine's clock. */
import type { Minted, MintRequest } from '../../../certs-dev/mint.ts';
import type { NameValue } from '../../../certs-dev/mint-extensions.ts';
import { ca as caOf, leaf as leafOf } from './pki.ts';
import type { Chain } from './three-verifiers.ts';

type Overrides = Partial<MintRequest>;

const HOUR = 3_600_000;
const now = Date.now();
const around = { notBefore: new Date(now - HOUR), notAfter: new Date(now + 24 * HOUR) };
export const past = { notBefore: new Date(now - 48 * HOUR), notAfter: new Date(now - HOUR) };
export const future = { notBefore: new Date(now + HOUR), notAfter: new Date(now + 48 * HOUR) };

export const ca = (CN: string, overrides: Overrides = {}): Promise<Minted> =>
  caOf(CN, { ...around, ...overrides });
export const leaf = (issuer: Minted, overrides: Overrides = {}): Promise<Minted> =>
  leafOf(issuer, { ...around, ...overrides });

const root = await ca('root');
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** root → issuing → leaf, the root trusted and the intermediate sent. */
export const chain =
  (changes: { root?: Overrides; issuing?: Overrides; leaf?: Overrides }) => async (): Promise<Chain> => {
    const top = changes.root === undefined ? root : await ca('root', changes.root);
    const middle = await ca('issuing', { issuer: top, ...changes.issuing });
    return { chain: [await leaf(middle, changes.leaf), middle], trusted: [top] };
  };

/** The same issuer as far as keys go; what its children write as their issuer is another matter. */
const calledDifferently = (issuer: Minted, subject: MintRequest['subject']): Minted => ({
  ...issuer,
  request: { ...issuer.request, subject },
});

export const uri = (value: string): NameValue => ({ type: 'uri', value });
export const dns = (value: string): NameValue => ({ type: 'dns', value });
export const A_POLICY = { oid: '2.5.29.32', critical: true, value: bytes('30053003060129') };
export const EXPLICIT_POLICY = { oid: '2.5.29.36', critical: true, value: bytes('3003800100') };
export const MAPS_ANY_POLICY = {
  oid: '2.5.29.33',
  critical: true,
  value: bytes('300d300b06032a03040604551d2000'),
};
export const pathLen = (length: number): Overrides => ({ basicConstraints: { ca: true, pathLen: length } });
export const UNKNOWN = { oid: '1.3.6.1.4.1.55555.1.2', critical: true, value: bytes('0500') };
const NAMES = [dns('one.k8s.example.com'), uri('https://one.example.com/x')];
export const constrained = (nameConstraints: NonNullable<Overrides['nameConstraints']>) =>
  chain({ issuing: { nameConstraints }, leaf: { subjectAltNames: NAMES } });

const revokedBy = (issuer: Minted, revoked: Minted) => ({
  issuer,
  thisUpdate: new Date(now - HOUR),
  nextUpdate: new Date(now + HOUR),
  number: 1,
  revoked: [{ serial: revoked.serial, date: new Date(now - HOUR), reason: 1 }],
});
const noneRevokedBy = (issuer: Minted) => ({ ...revokedBy(issuer, issuer), revoked: [] });

/** `count` CAs between the root and the leaf. */
export const deep =
  (count: number, overrides: (level: number) => Overrides = () => ({})) =>
  async (): Promise<Chain> => {
    const above: Minted[] = [];
    let issuer = await ca('root', overrides(0));
    const top = issuer;
    for (let level = 1; level <= count; level++) {
      issuer = await ca(`level ${level}`, { issuer, ...overrides(level) });
      above.unshift(issuer);
    }
    return { chain: [await leaf(issuer), ...above], trusted: [top] };
  };

export async function forgedIssuer(): Promise<Chain> {
  const real = await ca('issuing', { issuer: root });
  const forged = await ca('issuing', { issuer: await ca('elsewhere'), subjectKeyId: real.subjectKeyId });
  return { chain: [await leaf(forged), real], trusted: [root] };
}

export async function flippedSignature(): Promise<Chain> {
  const {
    chain: [below, middle],
    trusted,
  } = (await chain({})()) as Chain & { chain: [Minted, Minted] };
  const der = new Uint8Array(below.der);
  der.set([(der.at(-1) ?? 0) ^ 1], der.length - 1);
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
  return { chain: [{ ...below, der, pem }, middle], trusted };
}

/** The outer algorithm, which nothing signs, says another than the one that was signed over. */
export async function confusedAlgorithm(): Promise<Chain> {
  const {
    chain: [below, middle],
    trusted,
  } = (await chain({})()) as Chain & { chain: [Minted, Minted] };
  const der = Buffer.from(below.der);
  const sha256 = bytes('06082a8648ce3d040302');
  der.set(bytes('06082a8648ce3d040303'), der.lastIndexOf(sha256));
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
  return { chain: [{ ...below, der: new Uint8Array(der), pem }, middle], trusted };
}

/** An RSA signature under the name of one by ECDSA, inside and outside alike. */
export async function foreignAlgorithm(): Promise<Chain> {
  const top = await ca('root', { key: 'RSA-2048' });
  const elliptic = await ca('root', { key: 'P-256', subjectKeyId: top.subjectKeyId });
  return { chain: [await leaf({ ...elliptic, subjectKeyId: top.subjectKeyId })], trusted: [top] };
}

/** One CA under two roots; `only`: the old one is not trusted, and its certificate is sent in this place. */
export async function crossSigned(
  first: Overrides,
  second: Overrides,
  only?: 'first' | 'last',
): Promise<Chain> {
  const old = await ca('old root', first);
  const fresh = await ca('new root', second);
  const middle = await ca('issuing', { issuer: fresh, ...second });
  const crossed = await ca('issuing', { issuer: old, reuseKeyOf: middle, ...first });
  const sent = only === 'last' ? [middle, crossed] : [crossed, middle];
  return { chain: [await leaf(middle), ...sent], trusted: only === undefined ? [old, fresh] : [fresh] };
}

export async function twoPaths(revokeFirst: boolean, revokeSecond: boolean): Promise<Chain> {
  const [old, fresh] = [await ca('old root'), await ca('new root')];
  const middle = await ca('issuing', { issuer: fresh });
  const crossed = await ca('issuing', { issuer: old, reuseKeyOf: middle });
  return {
    chain: [await leaf(middle), crossed, middle],
    trusted: [old, fresh],
    crls: [
      revokeFirst ? revokedBy(old, crossed) : noneRevokedBy(old),
      revokeSecond ? revokedBy(fresh, middle) : noneRevokedBy(fresh),
    ],
  };
}

export async function leafUnderCrl(revoked: boolean): Promise<Chain> {
  const below = await leaf(root);
  return { chain: [below], trusted: [root], crls: [revoked ? revokedBy(root, below) : noneRevokedBy(root)] };
}

export async function issuerCalled(subject: MintRequest['subject']): Promise<Chain> {
  const top = await ca('issuing CA');
  return { chain: [await leaf(calledDifferently(top, subject))], trusted: [top] };
}

/** Below `name`, with one CA of the root trusted, which is called "issuing". */
export async function underIntermediate(name: string): Promise<Chain> {
  const issuing = await ca('issuing', { issuer: root });
  const issuer = name === 'issuing' ? issuing : await ca(name, { issuer: root });
  return { chain: [await leaf(issuer), issuer], trusted: [issuing] };
}
