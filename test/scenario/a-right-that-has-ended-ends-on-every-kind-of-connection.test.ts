import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { mintCa } from '../../certs-dev/mint.ts';
import { mintCrl } from '../../certs-dev/mint-crl.ts';
import type { Clock } from '../../src/shell/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import type { MintedChain } from '../support/pki.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const OTHER = 'demo-cluster-02.k8s.example.com';
const DAY_MS = 86_400_000;

class MovableClock implements Clock {
  #ahead = 0;
  now(): number {
    return Date.now() + this.#ahead;
  }
  elapsed(): number {
    return performance.now();
  }
  advance(ms: number): void {
    this.#ahead += ms;
  }
}

interface Stage {
  readonly gateway: TestGateway;
  readonly clock: MovableClock;
  readonly certificate: MintedChain;
}

async function crlOf(
  stage: Stage,
  issuer: 'clusterRoot' | 'clusterIntermediate',
  serial: Uint8Array,
): Promise<void> {
  const { pem } = await mintCrl({
    issuer: stage.gateway.pki[issuer],
    thisUpdate: new Date(Date.now() - DAY_MS),
    nextUpdate: new Date(Date.now() + 365 * DAY_MS),
    number: 1,
    revoked: [{ serial, date: new Date(Date.now() - DAY_MS) }],
  });
  await writeFile(join(stage.gateway.directory, 'crl', `${issuer}.crl`), pem);
  assert.equal(await stage.gateway.gateway.reload('SIGHUP'), true);
}

/** How a right ends → the rule that the log must name. */
const ENDINGS: Readonly<Record<string, { readonly rule: string; end(stage: Stage): Promise<void> }>> = {
  'its CA was removed': {
    rule: 'untrusted',
    async end({ gateway }) {
      const other = await mintCa('another CA');
      await writeFile(join(gateway.directory, 'cluster-ca.crt'), other.pem);
      assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    },
  },
  'its leaf was revoked by CRL': {
    rule: 'revoked',
    end: (stage) => crlOf(stage, 'clusterIntermediate', stage.certificate.serial),
  },
  'its intermediate was revoked by CRL': {
    rule: 'revoked',
    end: (stage) => crlOf(stage, 'clusterRoot', stage.gateway.pki.clusterIntermediate.serial),
  },
  'its leaf was revoked by an operator': {
    rule: 'revoked',
    async end({ gateway }) {
      const certificate = await gateway.pki.operator('operator@example.com');
      const body = { cluster_dns: DNS, reason: 'scenario' };
      assert.equal(
        (await gateway.send({ method: 'POST', path: '/revocations', certificate, body })).status,
        201,
      );
    },
  },
  'its leaf expired': {
    rule: 'expired',
    async end({ clock }) {
      clock.advance(2 * DAY_MS);
    },
  },
};

async function setStage(
  t: { after(done: () => unknown): void },
  version: 'TLSv1.2' | 'TLSv1.3',
): Promise<Stage> {
  const clock = new MovableClock();
  const gateway = await startTestGateway(t as never, {
    clock,
    environment: { TLS_MIN_VERSION: version },
    prepare: async (directory) => {
      const { mkdir } = await import('node:fs/promises');
      await mkdir(join(directory, 'crl'));
      return { CRL_DIR: join(directory, 'crl') };
    },
  });
  const certificate = await gateway.pki.cluster(DNS, { notAfter: new Date(Date.now() + DAY_MS) });
  return { gateway, clock, certificate };
}

async function open(
  { gateway }: Stage,
  certificate: MintedChain,
  version: 'TLSv1.2' | 'TLSv1.3',
  session?: Buffer,
): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port: gateway.port,
    ca: gateway.serverCaPem,
    servername: 'localhost',
    minVersion: version,
    maxVersion: version,
    cert: certificate.chainPem,
    key: certificate.keyPem,
    ...(session === undefined ? {} : { session }),
  });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  return socket;
}

/** The status of one answer on this connection; 'closed' where the server has ended it. */
async function ask(socket: TLSSocket, path: string): Promise<number | 'closed'> {
  if (socket.destroyed || socket.readableEnded) return 'closed';
  return await new Promise((resolve) => {
    let text = '';
    const done = (answer: number | 'closed'): void => {
      socket.off('data', read);
      socket.off('close', closed);
      resolve(answer);
    };
    const closed = (): void => done(text === '' ? 'closed' : Number(text.split(' ')[1]));
    const read = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      const head = text.indexOf('\r\n\r\n');
      if (head >= 0 && text.length >= head + 4 + Number(length)) done(Number(text.split(' ')[1]));
    };
    socket.on('data', read);
    socket.once('close', closed);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  });
}

const INPUTS = `/api/v2/flux/clusters/${DNS}/namespaces`;

for (const [ending, { rule, end }] of Object.entries(ENDINGS)) {
  describe(ending, () => {
    it('refused on a connection that is open, which then closes; another cluster keeps its own', async (t) => {
      const stage = await setStage(t, 'TLSv1.3');
      const socket = await open(stage, stage.certificate, 'TLSv1.3');
      const bystander = await open(stage, await stage.gateway.pki.cluster(OTHER), 'TLSv1.3');
      assert.equal(await ask(socket, '/health'), 200);
      assert.equal(await ask(bystander, '/health'), 200);
      await end(stage);
      // Idle connections are closed by whatever ended the right; time alone closes nothing, the next request does.
      const answer = await ask(socket, '/health');
      assert.ok(answer === (ending === 'its leaf expired' ? 495 : 'closed'), `got ${answer}`);
      if (!socket.destroyed) await once(socket, 'close');
      const shared = ['its CA was removed', 'its intermediate was revoked by CRL'].includes(ending);
      assert.equal(await ask(bystander, '/health'), shared ? 'closed' : 200);
      bystander.destroy();
    });

    it('refused on a new connection, and the log names the rule', async (t) => {
      const stage = await setStage(t, 'TLSv1.3');
      assert.equal((await stage.gateway.send({ path: INPUTS, certificate: stage.certificate })).status, 200);
      await end(stage);
      const answer = await stage.gateway.send({ path: INPUTS, certificate: stage.certificate });
      assert.equal(answer.status, 495);
      const logged = stage.gateway.logOf(answer)['certificate'] as { refused: string };
      assert.equal(logged.refused, rule);
    });

    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
      it(`refused when a ${version} session from before is replayed`, async (t) => {
        const stage = await setStage(t, version);
        const before = await open(stage, stage.certificate, version);
        const tickets: Buffer[] = [];
        before.on('session', (session: Buffer) => tickets.push(session));
        assert.equal(await ask(before, INPUTS), 200);
        const last = before.getSession();
        if (last !== undefined) tickets.push(last);
        assert.ok(tickets.length > 0, 'there is something to replay');
        await end(stage);
        for (const session of tickets) {
          const replayed = await open(stage, stage.certificate, version, session);
          assert.equal(replayed.isSessionReused(), false);
          assert.equal(await ask(replayed, INPUTS), 495);
          replayed.destroy();
        }
      });
    }
  });
}
