import { FluxgateError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

/** A request's target, in the one form that no two parsers read differently. */
export interface Target {
  readonly path: string;
  /** Without the question mark; '' when there is none. */
  readonly query: string;
}

/** RFC 3986 pchar without percent-escapes: a canonical path needs none, and each decoder undoes them differently. */
const PLAIN_PATH = /^\/[A-Za-z0-9._~!$&'()*+,;=:@/-]*$/;
const PLAIN_QUERY = /^[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*$/;

/**
 * Throws `malformed_request` for everything that is not origin-form (RFC 9112 §3.2.1), is not plain ASCII, or has
 * percent-escapes, empty segments or dot segments in its path.
 */
export function readTarget(url: string): Target {
  if (url.length > LIMITS.urlBytesMax) throw refuse(`is longer than ${LIMITS.urlBytesMax} octets`);
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  if (!path.startsWith('/')) throw refuse('is not a path: only origin-form targets are served');
  if (path.includes('%')) throw refuse('has percent-escapes in its path: no path of this API needs any');
  if (path.includes('//')) throw refuse('has an empty path segment');
  if (path.includes('/.') && /\/\.{1,2}(\/|$)/.test(path)) throw refuse('has a dot segment in its path');
  if (!PLAIN_PATH.test(path) || !PLAIN_QUERY.test(query)) {
    throw refuse('has characters that a URL cannot hold unescaped');
  }
  return { path, query };
}

function refuse(problem: string): FluxgateError {
  return new FluxgateError('malformed_request', `The request target ${problem}.`);
}

/** Throws `malformed_request` for HTTP/0.9, which llhttp lets through, and for an expectation that nobody here meets. */
export function checkProtocol(httpVersion: string, expectation: string | undefined): void {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    throw new FluxgateError('malformed_request', 'The request is not of HTTP/1.1 or HTTP/1.0.');
  }
  if (expectation !== undefined && expectation.toLowerCase() !== '100-continue') {
    throw new FluxgateError('malformed_request', 'The only expectation that is met is "100-continue".');
  }
}

/**
 * TLS and HTTP must name the same host (contract: 421): a name that only one of them checked is how stricter rules for a
 * host were walked around elsewhere. `serverName` is the SNI, undefined when the client sent none (an IP address).
 */
export function checkHost(hosts: readonly string[], serverName: string | undefined): void {
  const [host] = hosts;
  if (host === undefined || hosts.length !== 1) {
    throw new FluxgateError('malformed_request', 'The request must have exactly one Host header.');
  }
  if (host === agreed.host && serverName === agreed.serverName) return;
  const named = /^(?<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/.exec(host)?.groups?.['name'];
  if (named === undefined)
    throw new FluxgateError('malformed_request', 'The Host header is not HOST or HOST:PORT.');
  if (serverName !== undefined && comparable(named) !== comparable(serverName)) {
    throw new FluxgateError(
      'misdirected_request',
      'The Host header and the TLS server name (SNI) differ. Use one name for both.',
    );
  }
  agreed = { host, serverName };
}

/** The last pair that was right, to the letter: nearly everybody comes with the same one. */
let agreed: { readonly host: string | undefined; readonly serverName: string | undefined } = {
  host: undefined,
  serverName: undefined,
};

const comparable = (name: string): string => name.toLowerCase().replace(/\.$/, '');
