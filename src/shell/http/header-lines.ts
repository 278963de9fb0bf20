import type { IncomingMessage } from 'node:http';

/**
 * The lines of one header in their order, as `headersDistinct` has them; that one makes lists of all headers first, which most requests
 * need one of. `name` in lower case.
 */
export function headerLines(
  { rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>,
  name: string,
): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const field = rawHeaders[at] as string;
    if (field.length === name.length && field.toLowerCase() === name)
      lines.push(rawHeaders[at + 1] as string);
  }
  return lines;
}

/** Several lines joined as RFC 9110 §5.3 says; undefined: there is none. */
export function joinedHeader(request: Pick<IncomingMessage, 'rawHeaders'>, name: string): string | undefined {
  const lines = headerLines(request, name);
  return lines.length < 2 ? lines[0] : lines.join(', ');
}
