import { CommandFailed } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { shown } from '../output/text.ts';

/** What the codes of Node and OpenSSL mean, and what to do. The first that fits. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [
    /^(ECONNREFUSED)$/,
    'nobody listens there. Is the gateway running, and is the port right? (fluxgate doctor)',
  ],
  [/^(ENOTFOUND|EAI_AGAIN|EAI_NONAME)$/, 'the name is not found in DNS. Check --url'],
  [/^(EHOSTUNREACH|ENETUNREACH|ENETDOWN)$/, 'there is no way to that address from here: network or VPN?'],
  [/^(ETIMEDOUT|ERR_NO_ANSWER)$/, 'no answer in time. A firewall, or a gateway under load: try again'],
  [
    /^(ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/,
    'the connection was closed. A proxy in between that speaks no TLS, or a gateway that throttles this address',
  ],
  [
    /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_UNTRUSTED)$/,
    "the gateway's certificate is under no CA that is trusted here: name its CA with --ca FILE. Nothing was sent",
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    "the gateway's certificate is for other names than the one in --url: use one of these, or have the name added to it. Nothing was sent",
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    "the gateway's certificate, or one above it, has expired: renew it. Is this machine's clock right? Nothing was sent",
  ],
  [/^CERT_NOT_YET_VALID$/, "the gateway's certificate is not valid yet: is this machine's clock right?"],
  [
    /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|EPROTO)$/,
    'what answers there does not speak TLS, or no version that we do: is it the HTTPS port (8443), not the admin port (9090)?',
  ],
  [
    /^(ERR_SSL_.*(CERTIFICATE|UNKNOWN_CA).*|ERR_SSL_TLSV1.*)$/,
    'the gateway ended the handshake because of the certificate that was shown: is it an operator certificate, and does its chain go with it?',
  ],
  [
    /^(ERR_OSSL_X509_KEY_VALUES_MISMATCH)$/,
    '--key is not the key of --cert: name the two that belong together',
  ],
  [/^(ERR_OSSL_PEM.*|ERR_OSSL_UNSUPPORTED|ERR_OSSL_ASN1.*)$/, '--cert, --key or --ca is not readable PEM'],
];

/** One line for people of why there was no answer: exit code 69. */
export function connectionFailure(origin: string, error: unknown): CommandFailed {
  const code = String((error as NodeJS.ErrnoException)?.code ?? '');
  const detail = error instanceof Error ? shown(error.message) : String(error);
  const meaning = MEANINGS.find(([pattern]) => pattern.test(code))?.[1];
  return new CommandFailed(
    meaning === undefined ? `${origin}: ${detail}` : `${origin}: ${meaning}\n  (${detail})`,
    error,
    EXIT.unavailable,
  );
}
