/** Characters of a segment without a dot from which on it may be a token that somebody pasted into a URL. */
const SECRET_LIKE_FROM = 20;
const SEGMENT_MAX = 64;

/**
 * A request's path for the log, and for whoever is told of it: as it was asked for where it is a route of ours; else without
 * what could be a secret, which is an authority or a long segment.
 */
export function shownPath(path: string, operation: unknown): string {
  if (operation !== undefined) return path;
  const masked = (segment: string): string =>
    segment.length > (segment.includes('.') ? SEGMENT_MAX : SECRET_LIKE_FROM) ? '…' : segment;
  return path
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '…')
    .split('/')
    .map(masked)
    .join('/');
}
