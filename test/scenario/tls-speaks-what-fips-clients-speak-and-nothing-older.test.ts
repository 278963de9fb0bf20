import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { collect } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

interface Spoken {
  readonly protocol: string | null;
  readonly cipher: string;
  readonly alpn: string | false | null;
}

describe('the handshake', () => {
  const strict = shareGateway();
  const older = shareGateway({ environment: { TLS_MIN_VERSION: 'TLSv1.2' } });

  /** Throws where there is no handshake. */
  const handshake = async (port: number, ca: string, options: ConnectionOptions): Promise<Spoken> => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ...options });
    await once(socket, 'secureConnect');
    const spoken = {
      protocol: socket.getProtocol(),
      cipher: socket.getCipher().standardName,
      alpn: socket.alpnProtocol,
    };
    const done = collect(socket);
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    assert.equal((await done).answers[0]?.status, 200);
    return spoken;
  };
  const withStrict = (options: ConnectionOptions) => handshake(strict().port, strict().serverCaPem, options);
  const withOlder = (options: ConnectionOptions) => handshake(older().port, older().serverCaPem, options);

  for (const group of [
    'X25519MLKEM768',
    'SecP256r1MLKEM768',
    'P-256',
    'X25519',
    'P-384',
    'P-521:P-384',
    'P-256:P-384:P-521:X25519MLKEM768:SecP256r1MLKEM768:SecP384r1MLKEM1024',
  ]) {
    it(`works with a client that offers only ${group}`, async () => {
      assert.equal((await withStrict({ ecdhCurve: group })).protocol, 'TLSv1.3');
    });
  }

  for (const group of ['P-521', 'ffdhe2048', 'X448', 'SecP384r1MLKEM1024', 'secp256k1']) {
    it(`fails with a client that offers only ${group}`, async () => {
      await assert.rejects(async () => withStrict({ ecdhCurve: group }));
    });
  }

  it('uses AES-GCM, whatever else the client prefers', async () => {
    const preferred = { ciphers: 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384' };
    assert.match((await withStrict(preferred)).cipher, /^TLS_AES_(128|256)_GCM_SHA(256|384)$/);
    await assert.rejects(withStrict({ ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }));
    await assert.rejects(withStrict({ ciphers: 'TLS_AES_128_CCM_SHA256' }));
  });

  it('is TLS 1.3 by default: 1.2 fails', async () => {
    await assert.rejects(withStrict({ maxVersion: 'TLSv1.2' }));
    await assert.rejects(
      withStrict({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }),
    );
  });

  it('is TLS 1.2 where TLS_MIN_VERSION says so, with ECDHE and AES-GCM only', async () => {
    const tls12 = { maxVersion: 'TLSv1.2' } as const;
    assert.equal((await withOlder({})).protocol, 'TLSv1.3', '1.3 stays the first choice');
    for (const ciphers of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384']) {
      assert.equal((await withOlder({ ...tls12, ciphers })).protocol, 'TLSv1.2');
    }
    for (const ciphers of [
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      'ECDHE-ECDSA-AES128-SHA',
      'ECDHE-ECDSA-AES128-SHA256',
      'ECDHE-ECDSA-AES128-CCM',
      'DHE-RSA-AES128-GCM-SHA256',
      'AES128-GCM-SHA256',
      'aNULL:eNULL:@SECLEVEL=0',
    ]) {
      await assert.rejects(async () => withOlder({ ...tls12, ciphers }), Error, ciphers);
    }
    await assert.rejects(
      withOlder({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }),
    );
  });

  it('needs no ALPN, takes http/1.1, and refuses whoever speaks only h2', async () => {
    assert.equal((await withStrict({})).alpn, false);
    assert.equal((await withStrict({ ALPNProtocols: ['h2', 'http/1.1'] })).alpn, 'http/1.1');
    await assert.rejects(withStrict({ ALPNProtocols: ['h2'] }), /no_application_protocol|alert/i);
  });
});
