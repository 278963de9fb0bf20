import { openStoreFile, readStoreFacts, storeFileError } from './backup.ts';
import { prepareCrlIssuers } from './crl-issuers.ts';

/** Of a store that a gateway may have open, or of none that is open. Throws StartupError where it cannot be read. */
export function readCrlIssuers(path: string): ReadonlySet<string> {
  const database = openStoreFile(path);
  try {
    readStoreFacts(database, path);
    return prepareCrlIssuers(database)();
  } catch (error) {
    throw storeFileError(path, error);
  } finally {
    database.close();
  }
}
