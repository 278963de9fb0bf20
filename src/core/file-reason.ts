/** Why the file system did not give a file, in words that go behind its name. */
export function reasonOf(error: unknown): string {
  const { code } = error as { readonly code?: string };
  switch (code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
      return 'may not be read by this user';
    case 'EISDIR':
      return 'is a directory';
    case 'ELOOP':
      return 'is a symbolic link that leads to itself';
    default:
      return `cannot be read (${code ?? 'no reason'})`;
  }
}
