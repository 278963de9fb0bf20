import { createPrivateKey, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { StartupError } from '../../core/errors.ts';

/** A file that a flag, a variable or a context names. */
export interface NamedFile {
  readonly path: string;
  /** The flag, and who said it where it was no flag. */
  readonly name: string;
}

/** With what stands in it. */
export interface ReadFile extends NamedFile {
  readonly text: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Before anybody is asked: found by TLS, a fault of these files looks as if there were no connection. Throws StartupError. */
export function assertCertificates(file: ReadFile): void {
  for (const block of file.text.match(CERTIFICATE) ?? ['']) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw new StartupError(`${told(file)} holds a certificate that cannot be read`, error);
    }
  }
}

/** As above, of the two that belong together. */
export function assertPair(cert: ReadFile, key: ReadFile): void {
  assertCertificates(cert);
  if (!new X509Certificate(cert.text).checkPrivateKey(privateKey(key))) {
    throw new StartupError(
      `${told(key)} is not the key of ${cert.name}, ${resolve(cert.path)}: name the two that belong together`,
    );
  }
}

function privateKey(file: ReadFile): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(file.text);
  } catch (error) {
    throw new StartupError(
      /^-----BEGIN ENCRYPTED|^Proc-Type: .*ENCRYPTED/m.test(file.text)
        ? `${told(file)} is encrypted, and nobody is asked for a passphrase: decrypt it`
        : `${told(file)} holds no private key (PEM)`,
      error,
    );
  }
}

const told = ({ name, path }: NamedFile): string => `${name}: ${resolve(path)}`;
