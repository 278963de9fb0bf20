/**
 * The floor: node:https with Fluxgate's own TLS context, certificates asked for and checked by OpenSSL, and a constant body. The
 * context is put in place as Fluxgate does it: of options, Node leaves one out, and would verify a signature more (docs/decisions/partial-chains.md).
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

const options = {
  requestCert: true,
  rejectUnauthorized: false,
  ALPNProtocols: ['http/1.1'],
  noDelay: true,
  keepAlive: true,
  keepAliveTimeout: 30_000,
};
const server = createServer(options, (_request, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', body.length);
  if (close) response.setHeader('Connection', 'close');
  response.end(body);
});
installContext(server, createSecureContext(contextOptions(material, text('CLIENT_CA_FILE'))));
// Beside others on the same port (`several.ts`): a socket of its own, or the one of all.
const reusePort = process.env['SPREAD']?.endsWith('own-sockets') === true;
server.listen({ port: Number(variable('PORT')), host: '127.0.0.1', reusePort });
