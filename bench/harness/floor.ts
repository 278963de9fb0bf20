/**
 * The floor: node:https with Fluxgate's TLS options, certificates asked for and checked by OpenSSL, and a constant body. CONTEXT says
 * how it has them: `options`, as anybody gives them to a server, of which Node leaves one out, so that it verifies a signature more
 * (docs/decisions/partial-chains.md); or `whole`, put in place as Fluxgate does it.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import { installContext } from '../../src/shell/tls/listener.ts';
import { contextOptions } from '../../src/shell/tls/secure-context.ts';

const variable = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is missing`);
  return value;
};
const text = (name: string): string => readFileSync(variable(name), 'utf8');
const material = {
  certificateChain: { name: 'TLS_CERT_FILE', text: text('TLS_CERT_FILE') },
  privateKey: { name: 'TLS_KEY_FILE', text: text('TLS_KEY_FILE') },
  authorities: [],
  minVersion: 'TLSv1.3',
} as const;
const close = variable('CLOSE') === 'yes';
const body = Buffer.alloc(Number(variable('BODY_OCTETS')), '.');

const context = contextOptions(material, text('CLIENT_CA_FILE'));
const whole = variable('CONTEXT') === 'whole';
const options = {
  ...(whole ? {} : context),
  requestCert: true,
  rejectUnauthorized: false,
  ALPNProtocols: ['http/1.1'],
  noDelay: true,
  keepAliveTimeout: 30_000,
};
const server = createServer(options, (_request, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', body.length);
  if (close) response.setHeader('Connection', 'close');
  response.end(body);
});
if (whole) installContext(server, createSecureContext(context));
// Beside others on the same port (`several.ts`): a socket of its own, or the one of all.
const reusePort = process.env['SPREAD']?.endsWith('own-sockets') === true;
server.listen({ port: Number(variable('PORT')), host: '127.0.0.1', reusePort });
