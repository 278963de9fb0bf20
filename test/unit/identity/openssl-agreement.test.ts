import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect, createSecureContext, createServer, type Server, type TLSSocket } from 'node:tls';
import type { Minted, MintRequest } from '../../../certs-dev/mint.ts';
import { mint } from '../../../certs-dev/mint.ts';
import type { Trust } from '../../../src/core/identity/trust.ts';
import { ca, judged, leaf, ruleOf, trustOf } from './pki.ts';

/**
 * A real handshake's verdict on the same chain. Our rules are to be at least as strict: what OpenSSL refuses for the chain's
 * own sake we refuse as well, and no honest chain ends as `openssl_disagrees`. OpenSSL reads the machine's clock, so these
 * certificates live around now.
 */
const validity = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) };
const UNKNOWN = { oid: '1.2.3.4', critical: true, value: Uint8Array.of(5, 0) };

let root: Minted;
let server: Server;
let trust: Trust;
before(async () => {
  root = await ca('root', validity);
  trust = trustOf([root]);
  const self = await mint({
    subject: { CN: 'server' },
    subjectAltNames: [{ type: 'dns', value: 'localhost' }],
  });
  server = createServer({
    cert: self.pem,
    key: self.keyPem,
    ca: [...trust.authorities],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  });
  // A client that sends no certificate or breaks off is not what is tested here.
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => {
  server.close();
});

async function openssl(chain: readonly [Minted, ...Minted[]]): Promise<boolean> {
  const { port } = server.address() as AddressInfo;
  const secured = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const secureContext = createSecureContext({
    cert: chain.map(({ pem }) => pem).join(''),
    key: chain[0].keyPem,
  });
  const client = connect({ port, host: '127.0.0.1', secureContext, rejectUnauthorized: false });
  client.on('error', () => undefined);
  const [socket] = await secured;
  const { authorized } = socket;
  socket.destroy();
  client.destroy();
  return authorized;
}

type Changes = Partial<MintRequest>;

async function both(issuing: Changes, changes: Changes): Promise<{ ours: string; theirs: boolean }> {
  const middle = await ca('issuing', { issuer: root, ...validity, ...issuing });
  const below = await leaf(middle, { ...validity, ...changes });
  const ours = ruleOf(judged([below, middle], trust, { nowMs: Date.now() }));
  return { ours, theirs: await openssl([below, middle]) };
}

describe('OpenSSL and our rules', () => {
  const accepted: readonly (readonly [string, Changes, Changes])[] = [
    ['a plain chain', {}, {}],
    ['Ed25519', { key: 'Ed25519' }, { key: 'Ed25519' }],
    ['P-521 over RSA', { key: 'RSA-2048' }, { key: 'P-521' }],
    [
      'name constraints that hold',
      { nameConstraints: { permitted: [{ type: 'dns', value: 'example.com' }] } },
      {},
    ],
    ['an emptiness of subject', {}, { subject: {} }],
    ['pathLen 0', { basicConstraints: { ca: true, pathLen: 0 } }, {}],
  ];
  for (const [what, issuing, below] of accepted) {
    it(`accept ${what}`, async () => {
      assert.deepEqual(await both(issuing, below), { ours: 'accepted', theirs: true });
    });
  }

  const refused: readonly (readonly [string, string, Changes, Changes])[] = [
    ['an expired leaf', 'expired', {}, { notBefore: new Date(0), notAfter: new Date(1e12) }],
    ['an issuer that is no CA', 'not_a_ca', { basicConstraints: { ca: false } }, {}],
    ['an issuer that may not sign', 'key_usage', { keyUsage: ['cRLSign'] }, {}],
    ['a leaf for servers', 'extended_key_usage', {}, { extendedKeyUsage: ['serverAuth'] }],
    ['an issuer for servers', 'extended_key_usage', { extendedKeyUsage: ['serverAuth'] }, {}],
    ['an unknown critical extension', 'unknown_critical_extension', {}, { extensions: [UNKNOWN] }],
    [
      'a DNS name that is not permitted',
      'name_constraints',
      { nameConstraints: { permitted: [{ type: 'dns', value: 'x.example' }] } },
      {},
    ],
    [
      'a CN that is not permitted',
      'name_constraints',
      { nameConstraints: { permitted: [{ type: 'dns', value: 'x.example' }] } },
      { subject: { CN: 'y.example' }, subjectAltNames: null },
    ],
    [
      'a subject that is excluded',
      'name_constraints',
      { nameConstraints: { excluded: [{ type: 'dirname', value: 'A Client' }] } },
      {},
    ],
    ['a key identifier that differs', 'untrusted', {}, { authorityKeyId: Uint8Array.of(1, 2, 3) }],
  ];
  for (const [what, rule, issuing, below] of refused) {
    it(`refuse ${what}`, async () => {
      assert.deepEqual(await both(issuing, below), { ours: rule, theirs: false });
    });
  }

  const ours: readonly (readonly [string, string, Changes])[] = [
    ['a leaf without a purpose', 'extended_key_usage', { extendedKeyUsage: null }],
    ['a CA as leaf', 'not_a_ca', { basicConstraints: { ca: true } }],
    ['a wildcard', 'bad_name', { subjectAltNames: [{ type: 'dns', value: '*.example.com' }] }],
  ];
  for (const [what, rule, below] of ours) {
    it(`differ on ${what}, which only we refuse`, async () => {
      assert.deepEqual(await both({}, below), { ours: rule, theirs: true });
    });
  }
});
