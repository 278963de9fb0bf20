import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { MintedChain } from '../support/pki.ts';
import { collect } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const REQUEST = `GET /api/v2/flux/clusters/${DNS}/namespaces HTTP/1.1\r\nHost: localhost\r\n\r\n`;

for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
  describe(`a ${version} client that tries to resume`, () => {
    const gateway = shareGateway({ environment: { TLS_MIN_VERSION: version } });

    const open = async (options: ConnectionOptions, certificate?: MintedChain): Promise<TLSSocket> => {
      const socket = connect({
        host: '127.0.0.1',
        port: gateway().port,
        ca: gateway().serverCaPem,
        servername: 'localhost',
        minVersion: version,
        maxVersion: version,
        ...(certificate === undefined ? {} : { cert: certificate.chainPem, key: certificate.keyPem }),
        ...options,
      });
      await once(socket, 'secureConnect');
      return socket;
    };

    /** Polls once with the certificate, and keeps whatever the server gives for later. */
    const sessionsOfPoll = async (certificate: MintedChain): Promise<Buffer[]> => {
      const socket = await open({}, certificate);
      const sessions: Buffer[] = [];
      socket.on('session', (session: Buffer) => sessions.push(session));
      const done = collect(socket);
      socket.write(REQUEST);
      assert.equal((await done).answers[0]?.status, 200);
      const last = socket.getSession();
      return last === undefined ? sessions : [...sessions, last];
    };

    it('gets a full handshake, in which it has to show its certificate again', async () => {
      const certificate = await gateway().pki.cluster(DNS);
      const sessions = await sessionsOfPoll(certificate);
      for (const session of sessions) {
        for (const presented of [certificate, undefined]) {
          const socket = await open({ session }, presented);
          assert.equal(socket.isSessionReused(), false);
          const done = collect(socket);
          socket.write(REQUEST);
          const expected = presented === undefined ? 401 : 200;
          assert.equal((await done).answers[0]?.status, expected);
        }
      }
      if (version === 'TLSv1.2') assert.ok(sessions.length > 0, 'there was something to try with');
    });

    it('is given no ticket', async () => {
      const socket = await open({}, await gateway().pki.cluster(DNS));
      assert.equal(socket.getTLSTicket()?.length ?? 0, 0);
      const done = collect(socket);
      socket.write(REQUEST);
      await done;
      assert.equal(socket.getTLSTicket()?.length ?? 0, 0);
    });
  });
}
