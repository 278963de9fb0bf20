/** The floor: node:https with Fluxgate's own TLS options, certificates asked for and checked by OpenSSL, and a constant body. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
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
  ...contextOptions(material, text('CLIENT_CA_FILE')),
  requestCert: true,
  rejectUnauthorized: false,
};
const server = createServer(
  { ...options, ALPNProtocols: ['http/1.1'], noDelay: true, keepAlive: true, keepAliveTimeout: 30_000 },
  (_request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Content-Length', body.length);
    if (close) response.setHeader('Connection', 'close');
    response.end(body);
  },
);
// Beside others on the same port (`several.ts`): a socket of its own, or the one of all.
const reusePort = process.env['SPREAD']?.endsWith('own-sockets') === true;
server.listen({ port: Number(variable('PORT')), host: '127.0.0.1', reusePort });
