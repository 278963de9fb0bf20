import { CommandFailed } from './context.ts';

/** What mints keys is left out of the container image. */
export async function developmentOnly<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CommandFailed(
      'this command is for development, and this installation has no certs-dev/',
      error,
    );
  }
}
