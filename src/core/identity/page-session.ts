import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';

/**
 * Who signed in to the status page with a token: a cookie that the gateway alone can make and read. It holds the token's hash and never
 * the token, so it is worth what the token is worth at each request, and nothing to anybody who gets hold of the keys alone.
 */
export interface PageSession {
  /** 16 octets, lower-case hex: what signing out ends. */
  readonly id: string;
  /** Of the token, lower-case hex. */
  readonly tokenSha256: string;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  readonly endsMs: number;
}

export interface PageKeys {
  /** AES-256 */
  readonly cookie: KeyObject;
  /** HMAC-SHA-256 */
  readonly form: KeyObject;
}

/**
 * From the server's private key: every process that serves with it makes the same ones, none of them is written anywhere, and a new server
 * key ends all sessions. RFC 5869; the two are independent of each other and tell nothing of the key they come from.
 */
export function derivePageKeys(serverKeyPem: string): PageKeys {
  const derive = (use: string): KeyObject =>
    createSecretKey(
      new Uint8Array(hkdfSync('sha256', serverKeyPem.trim(), '', `fluxgate page ${use} v1`, 32)),
    );
  return Object.freeze({ cookie: derive('cookie'), form: derive('form') });
}

export const SESSION_ID_OCTETS = 16;
export const NONCE_OCTETS = 12;
const HASH_OCTETS = 32;
const TIME_OCTETS = 6;
const TAG_OCTETS = 16;
const PLAIN_OCTETS = SESSION_ID_OCTETS + HASH_OCTETS + 2 * TIME_OCTETS;
/** base64url of nonce, content and tag. */
const SEALED = new RegExp(
  `^[A-Za-z0-9_-]{${Math.ceil(((NONCE_OCTETS + PLAIN_OCTETS + TAG_OCTETS) * 4) / 3)}}$`,
);
const PURPOSE = Buffer.from('fluxgate page session v1');

/** `nonce`: NONCE_OCTETS, never used before with these keys. */
export function sealSession({ cookie }: PageKeys, session: PageSession, nonce: Uint8Array): string {
  const plain = Buffer.alloc(PLAIN_OCTETS);
  let at = plain.write(session.id, 'hex');
  at += plain.write(session.tokenSha256, at, 'hex');
  at = plain.writeUIntBE(session.startedMs, at, TIME_OCTETS);
  plain.writeUIntBE(session.endsMs, at, TIME_OCTETS);
  const cipher = createCipheriv('aes-256-gcm', cookie, nonce, { authTagLength: TAG_OCTETS }).setAAD(PURPOSE);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
}

/** undefined: not made with these keys. Whether it has ended is for the caller to say. */
export function unsealSession({ cookie }: PageKeys, sealed: string): PageSession | undefined {
  if (!SEALED.test(sealed)) return undefined;
  const octets = Buffer.from(sealed, 'base64url');
  // The last character has bits to spare: one session has one spelling.
  if (octets.toString('base64url') !== sealed) return undefined;
  const content = octets.subarray(NONCE_OCTETS, NONCE_OCTETS + PLAIN_OCTETS);
  const decipher = createDecipheriv('aes-256-gcm', cookie, octets.subarray(0, NONCE_OCTETS), {
    authTagLength: TAG_OCTETS,
  })
    .setAAD(PURPOSE)
    .setAuthTag(octets.subarray(NONCE_OCTETS + PLAIN_OCTETS));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(content), decipher.final()]);
  } catch {
    return undefined;
  }
  const times = SESSION_ID_OCTETS + HASH_OCTETS;
  return Object.freeze({
    id: plain.toString('hex', 0, SESSION_ID_OCTETS),
    tokenSha256: plain.toString('hex', SESSION_ID_OCTETS, times),
    startedMs: plain.readUIntBE(times, TIME_OCTETS),
    endsMs: plain.readUIntBE(times + TIME_OCTETS, TIME_OCTETS),
  });
}

/** What a form of `holder` sends along: nobody else can make it, and it is worth nothing in another's hands. */
export function formToken({ form }: PageKeys, holder: string): string {
  return createHmac('sha256', form).update(holder).digest('base64url');
}

export function isFormToken(keys: PageKeys, holder: string, presented: string): boolean {
  const expected = Buffer.from(formToken(keys, holder));
  const given = Buffer.from(presented);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
