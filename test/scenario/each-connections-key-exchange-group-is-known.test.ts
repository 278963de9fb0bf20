import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { connect, TLSSocket } from 'node:tls';
import { inputsPath } from '../support/fleet-status.ts';
import { WRITE_TOKEN } from '../support/gateway.ts';
import type { MintedChain } from '../support/pki.ts';
import { collect } from '../support/raw.ts';
import { metricsText } from '../support/secrets.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import type { ShownSighting } from '../support/trust.ts';

const DNS = 'demo-cluster-01.k8s.example.com';

/** Before TLS 1.3 the list is about the server's certificate as well, whose curve is P-256. */
const OFFERED = {
  'TLSv1.3': [
    ['X25519MLKEM768', 'X25519MLKEM768'],
    ['SecP256r1MLKEM768', 'SecP256r1MLKEM768'],
    ['P-256', 'secp256r1'],
    ['X25519', 'x25519'],
    ['P-384', 'secp384r1'],
    ['P-521:P-384', 'secp384r1'],
  ],
  'TLSv1.2': [['P-256', 'secp256r1']],
} as const;

for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
  describe(`the key exchange of a ${version} client`, () => {
    const gateway = shareGateway({ environment: { TLS_MIN_VERSION: version } });

    const poll = async (ecdhCurve: string, { chainPem, keyPem }: MintedChain): Promise<void> => {
      const socket = connect({
        host: '127.0.0.1',
        port: gateway().port,
        ca: gateway().serverCaPem,
        servername: 'localhost',
        maxVersion: version,
        cert: chainPem,
        key: keyPem,
        ecdhCurve,
      });
      await once(socket, 'secureConnect');
      const done = collect(socket);
      socket.write(`GET ${inputsPath(DNS)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      assert.equal((await done).answers[0]?.status, 200);
    };
    const counted = async (group: string): Promise<number> => {
      const text = await metricsText(gateway().gateway.adminAddress);
      const [, count = '0'] =
        text.match(
          new RegExp(
            `^fluxgate_tls_handshakes_total\\{result="done",version="${version}",.*group="${group}"\\} (\\d+)$`,
            'm',
          ),
        ) ?? [];
      return Number(count);
    };

    for (const [offered, named] of OFFERED[version]) {
      it(`is counted and shown as ${named} for one that offers ${offered}`, async () => {
        const before = await counted(named);
        await poll(offered, await gateway().pki.cluster(DNS));
        assert.equal(await counted(named), before + 1);
        const answer = await gateway().send({ path: `/trust/clusters/${DNS}`, token: WRITE_TOKEN });
        const { certificate } = answer.json<{ certificate: ShownSighting }>();
        assert.equal(certificate.tls.version, version);
        assert.equal(certificate.tls.group, named);
      });
    }

    it('is asked of OpenSSL once a connection, and what it was read from is wiped', async (t) => {
      const asked: Buffer[] = [];
      const ask = TLSSocket.prototype.getSession;
      t.mock.method(TLSSocket.prototype, 'getSession', function (this: TLSSocket) {
        const session = ask.call(this);
        if (session !== undefined) asked.push(session);
        return session;
      });
      await poll('P-256', await gateway().pki.cluster(DNS));
      assert.equal(asked.length, 1);
      assert.ok((asked[0]?.length ?? 0) > 100, 'it was a session');
      assert.ok(asked[0]?.every((octet) => octet === 0));
    });

    it('is none where Node says nothing of it, and the poll is answered', async (t) => {
      const before = await counted('none');
      t.mock.method(TLSSocket.prototype, 'getSession', () => {
        throw new Error('a later Node');
      });
      await poll('P-256', await gateway().pki.cluster(DNS));
      assert.equal(await counted('none'), before + 1);
      const answer = await gateway().send({ path: `/trust/clusters/${DNS}`, token: WRITE_TOKEN });
      assert.equal(answer.json<{ certificate: ShownSighting }>().certificate.tls.group, null);
    });
  });
}
