import type { ErrorCode } from '../../core/errors.ts';

export const REFUSED_CERTIFICATE = Object.freeze({
  code: 'certificate_rejected',
  message: "The client certificate is not accepted. The gateway's log says why, under this request id.",
} as const);

/** What llhttp and Node's timers call the ways in which octets fail to be a request, and our answer to each. */
export function malformedAnswer(error: NodeJS.ErrnoException): {
  readonly code: ErrorCode;
  readonly message: string;
} {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return { code: 'headers_too_large', message: 'The request headers are too large.' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { code: 'request_timeout', message: 'The request did not arrive in time.' };
    default:
      return { code: 'malformed_request', message: 'This is not an HTTP/1.1 request.' };
  }
}
