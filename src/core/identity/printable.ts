/** Text of a stranger, made fit for one log line: no control, format or line-separating character survives. */

const DANGEROUS = /[\\\p{C}\p{Zl}\p{Zp}]/gu;

/** At most `charactersMax` UTF-16 units of the escaped text, with an ellipsis where something was left out. */
export function printable(text: string, charactersMax = 256): string {
  // Cut first: escaping a megabyte to show 256 characters of it would be somebody's denial of service.
  const cut = text.length > charactersMax ? text.slice(0, charactersMax) : text;
  const escaped = cut.replace(DANGEROUS, (character) =>
    character === '\\' ? '\\\\' : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return escaped.length > charactersMax || cut !== text
    ? inOnePiece(`${escaped.slice(0, Math.max(0, charactersMax - 1))}…`)
    : escaped;
}

/** A piece of a text keeps all of it in memory: 60 KB of a stranger's, for 256 characters that are remembered. */
const inOnePiece = (text: string): string => Buffer.from(text).toString();

/** Octets that should have been ASCII, shown as such; anything else as an escape. */
export function printableOctets(octets: Uint8Array, charactersMax = 128): string {
  let text = '';
  for (const octet of octets.subarray(0, charactersMax)) {
    text +=
      octet >= 0x20 && octet < 0x7f && octet !== 0x5c
        ? String.fromCharCode(octet)
        : `\\x${octet.toString(16).padStart(2, '0')}`;
  }
  return octets.length > charactersMax || text.length > charactersMax
    ? `${text.slice(0, charactersMax - 1)}…`
    : text;
}

/** A moment for people: ISO 8601 in UTC, whatever the number. */
export function printableTime(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

export function hexOf(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex');
}
