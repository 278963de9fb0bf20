/** What happened where a handshake failed, by the reason that OpenSSL or the system gives; what to do: docs/troubleshooting.md, in the same words. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', "the client does not trust this server's certificate"],
  ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', "the client does not trust this server's certificate"],
  ['ERR_SSL_HTTP_REQUEST', 'plain HTTP was spoken to the TLS port'],
  // A PROXY protocol header is no TLS record.
  [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'this is not TLS; a PROXY protocol header is a protocol error outside TRUSTED_PROXIES',
  ],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', "the client's newest TLS is older than TLS_MIN_VERSION"],
  ['ERR_SSL_NO_SHARED_CIPHER', 'no cipher in common: the client must offer AES-GCM'],
  [
    'ERR_SSL_NO_SUITABLE_KEY_SHARE',
    'no key exchange in common: the client must offer P-256, X25519 or a hybrid of one of them',
  ],
  ['ECONNRESET', 'the client hung up in the middle'],
]);

/** undefined: the reason says it all, or nobody knows more. */
export const handshakeHint = (reason: string): string | undefined => HINTS.get(reason);
