import { resolve } from 'node:path';
import { StartupError } from '../../core/errors.ts';

/** Where the store is: a file's absolute path, or nowhere but in this process's memory. */
export type DatabaseLocation = { readonly memory: true } | { readonly memory: false; readonly path: string };

/** `sqlite://PATH`, relative or absolute, with or without `?mode=rwc`; `sqlite::memory:`. Anything else: StartupError. */
export function parseDatabaseUrl(url: string): DatabaseLocation {
  if (url === 'sqlite::memory:') return { memory: true };
  const path = /^sqlite:\/\/(?<path>[^?#\0]+)(?:\?mode=rwc)?$/.exec(url)?.groups?.path;
  // SQLite would take a path `:memory:` for its memory, and a user who meant that wrote the URL wrong.
  if (path === undefined || path.startsWith(':')) {
    throw new StartupError('DATABASE_URL is neither sqlite://PATH nor sqlite::memory:');
  }
  // Two slashes and var/lib look absolute: whoever is told of the file is told where it is.
  return { memory: false, path: resolve(path) };
}
