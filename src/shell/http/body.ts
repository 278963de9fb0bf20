import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream';
import { FluxgateError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { PAGE_LIMITS } from '../../core/page-limits.ts';
import type { Operation } from '../../core/policy/operations.ts';

/** Whether the request announces a body at all (RFC 9112 §6.3). */
export function announcesBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** Throws `unsupported_media_type` unless the body is what the operation takes, in UTF-8 and unencoded. */
export function checkMediaType(request: IncomingMessage, accepted: readonly string[]): void {
  const header = request.headers['content-type'] ?? '';
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.every((parameter) => /^charset="?utf-8"?$/.test(parameter));
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (!accepted.includes(type) || !charset || encoding !== 'identity') {
    throw new FluxgateError(
      'unsupported_media_type',
      `Send the body as ${accepted.join(' or ')}, in UTF-8, without Content-Encoding.`,
    );
  }
}

/** How large a body may be: one event, one object, a whole fleet, or a form. */
export function bodyBytesMax({ operationId, about }: Operation): number {
  if (about === 'page') return PAGE_LIMITS.formBytesMax;
  switch (operationId) {
    case 'reportEvent':
      return LIMITS.eventBytesMax;
    case 'importFleet':
      return LIMITS.importBytesMax;
    default:
      return LIMITS.bodyBytesMax;
  }
}

/**
 * A form as browsers send it, as the object that the document's schema describes. Throws `malformed_request` for what is not UTF-8, and for a
 * field that is there twice: two readers would take two different ones.
 */
export function parseForm(octets: Uint8Array): Readonly<Record<string, string>> {
  const refuse = (problem: string): FluxgateError =>
    new FluxgateError('malformed_request', `The form ${problem}.`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(octets);
    // What is escaped must be UTF-8 as well: URLSearchParams would put another character in its place.
    decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw refuse('is not in UTF-8');
  }
  const fields = [...new URLSearchParams(text)];
  if (fields.length > PAGE_LIMITS.formFieldsMax) throw refuse('has too many fields');
  const form = Object.fromEntries(fields);
  if (Object.keys(form).length !== fields.length) throw refuse('has a field twice');
  return form;
}

/** How many values a body may have. */
export function bodyValuesMax({ operationId }: Operation): number {
  return operationId === 'reportEvent' ? LIMITS.eventValuesMax : LIMITS.jsonValuesMax;
}

/**
 * The whole body, at most `octetsMax` octets; `payload_too_large` as soon as that is known, and `malformed_request` for one that comes octet by
 * octet, or not to its end. Whoever is refused still gets an answer, so the socket is left alone.
 */
export async function readBody(request: IncomingMessage, octetsMax: number): Promise<Uint8Array> {
  const tooLarge = (): FluxgateError =>
    new FluxgateError('payload_too_large', `The body is larger than ${octetsMax} octets.`);
  if (Number(request.headers['content-length'] ?? 0) > octetsMax) throw tooLarge();
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const pieces: Buffer[] = [];
  let octets = 0;
  const refuse = (error: FluxgateError): void => {
    leave();
    request.off('data', take);
    request.pause();
    reject(error);
  };
  // As events: behind an iterator the pieces of one read of the socket are there before the first of them is looked at.
  const take = (piece: Buffer): void => {
    octets += piece.length;
    pieces.push(piece);
    if (octets > octetsMax) refuse(tooLarge());
    else if (pieces.length > LIMITS.bodyPiecesMax + octets / LIMITS.bodyPieceOctets) refuse(tooManyPieces());
  };
  const leave = finished(request, { writable: false }, (error) => {
    leave();
    if (error === null || error === undefined) resolve(Buffer.concat(pieces, octets));
    else reject(endedEarly(error));
  });
  request.on('data', take);
  return await promise;
}

const tooManyPieces = (): FluxgateError =>
  new FluxgateError(
    'malformed_request',
    'The body comes in too many small pieces. Send larger ones, or all of it with Content-Length.',
  );

const endedEarly = (cause: unknown): FluxgateError =>
  new FluxgateError('malformed_request', 'The body ended before it was complete.', { cause });
