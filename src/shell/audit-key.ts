import { createPrivateKey, type KeyObject } from 'node:crypto';
import { StartupError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { readText } from './snapshot-files.ts';

const KINDS: readonly (string | undefined)[] = ['ed25519', 'ec', 'rsa'];

/** The key of AUDIT_SIGNING_KEY_FILE. Throws StartupError where it is none. */
export async function readAuditKey(path: string | undefined): Promise<KeyObject | undefined> {
  if (path === undefined) return undefined;
  const { text } = await readText(path, 'AUDIT_SIGNING_KEY_FILE', LIMITS.bundleBytesMax);
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (error) {
    throw new StartupError(
      `AUDIT_SIGNING_KEY_FILE: ${path} holds no readable, unencrypted PEM private key`,
      error,
    );
  }
  if (KINDS.includes(key.asymmetricKeyType)) return key;
  throw new StartupError(
    `AUDIT_SIGNING_KEY_FILE: ${path} holds a key of type ${key.asymmetricKeyType}, which does not sign: use Ed25519`,
  );
}
