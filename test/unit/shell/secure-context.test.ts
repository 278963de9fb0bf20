import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { connect, createServer, type SecureContext, type TLSSocket } from 'node:tls';
import { type Minted, mintCa, mintIntermediate, mintServerCertificate } from '../../../certs-dev/mint.ts';
import { StartupError } from '../../../src/core/errors.ts';
import { inSlices } from '../../../src/shell/slices.ts';
import { authoritiesOf, createTlsContext, type TlsMaterial } from '../../../src/shell/tls/secure-context.ts';
import { withChain } from '../../support/pki.ts';
import { leaf } from '../identity/pki.ts';

const operators = await mintCa('operators');
const root = await mintCa('root');
const issuing = await mintIntermediate('issuing', root);
const server = await mintServerCertificate(['localhost'], operators);
const around = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 3_600_000) };

const material = (authorities: readonly string[]): TlsMaterial => ({
  certificateChain: { name: 'TLS_CERT_FILE: server.crt', text: server.pem },
  privateKey: { name: 'TLS_KEY_FILE: server.key', text: server.keyPem },
  authorities,
  minVersion: 'TLSv1.3',
});
const contextWith = (...authorities: readonly string[]): Promise<SecureContext> =>
  inSlices(createTlsContext(material(authorities)));

/** OpenSSL's answer to a leaf of `issuer` that is sent alone. */
async function answerOf(t: TestContext, context: SecureContext, issuer: Minted): Promise<boolean> {
  const listener = createServer({ requestCert: true, rejectUnauthorized: false });
  (listener as unknown as { _sharedCreds: SecureContext })._sharedCreds = context;
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.after(() => listener.close());
  const secured = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
  const client = withChain(await leaf(issuer, around));
  const socket = connect({
    port: (listener.address() as AddressInfo).port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    cert: client.pem,
    key: client.keyPem,
  });
  socket.on('error', () => undefined);
  const [accepted] = await secured;
  const { authorized } = accepted;
  accepted.destroy();
  socket.destroy();
  return authorized;
}

describe('the TLS context', () => {
  it('trusts every authority, whichever comes first, an intermediate without its root as well', async (t) => {
    const others = await Promise.all([1, 2, 3].map((number) => mintCa(`other ${number}`)));
    const pems = others.map(({ pem }) => pem);
    for (const context of [
      await contextWith(...pems, issuing.pem),
      await contextWith(issuing.pem, ...pems),
    ]) {
      assert.equal(await answerOf(t, context, issuing), true);
      for (const other of others) assert.equal(await answerOf(t, context, other), true);
      assert.equal(await answerOf(t, context, operators), false, 'whose CA is only the server certificate’s');
    }
  });

  it('is made in steps, so that whoever drives them can let requests in between', () => {
    const steps = createTlsContext(material([root.pem, issuing.pem, operators.pem]));
    assert.deepEqual([steps.next().done, steps.next().done, steps.next().done], [false, false, true]);
  });

  const broken = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  for (const [what, authorities, says] of [
    ['no authority', [], /no client CA/],
    ['one that is no PEM, and comes first', ['to be filled in', root.pem], /cannot read client CA 1 of/],
    ['a garbled one among others', [root.pem, broken, issuing.pem], /cannot read client CA 2 of/],
  ] as const) {
    it(`is refused for ${what}`, async () => {
      await assert.rejects(
        contextWith(...authorities),
        (error) => error instanceof StartupError && says.test(error.message),
      );
    });
  }

  it('is refused, by name, where a Node adds authorities in another way', () => {
    for (const context of [{}, { context: {} }, { context: { addCACert: 'moved' } }]) {
      assert.throws(
        () => authoritiesOf(context as unknown as SecureContext),
        (error) =>
          error instanceof StartupError && /version of Node adds CAs .* elsewhere/.test(error.message),
      );
    }
  });
});
