import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mintCa, mintServerCertificate } from '../../certs-dev/mint.ts';
import { crlOf, startCrlGateway } from '../support/crls.ts';
import { type LogLine, READ_TOKEN, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { keepOpen } from '../support/kept-open.ts';
import { collect, openRaw } from '../support/raw.ts';
import { demoDns, poll } from '../support/trust.ts';

const POLICIES = fileURLToPath(new URL('../../policy/', import.meta.url));
const NEXT_TOKEN = 'the-next-read-token-of-this-test';

function start(t: TestContext): Promise<TestGateway> {
  return startTestGateway(t, {
    prepare: async (directory) => {
      await writeFile(join(directory, 'tokens'), `${READ_TOKEN}\n`);
      await cp(POLICIES, join(directory, 'policy'), { recursive: true });
      return { AUTH_TOKEN_FILE: join(directory, 'tokens'), POLICY_DIR: join(directory, 'policy') };
    },
    environment: { AUTH_TOKEN: undefined },
  });
}

interface Reloaded extends LogLine {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

async function reload(gateway: TestGateway): Promise<Reloaded> {
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
  return gateway.log.findLast(({ msg }) => msg.startsWith('reloaded')) as unknown as Reloaded;
}

const servedBy = async (gateway: TestGateway): Promise<string> => {
  const socket = await openRaw(gateway);
  const serial = socket.getPeerCertificate().serialNumber;
  socket.destroy();
  return serial;
};

describe('a reload', () => {
  it('of the server’s certificate: new connections see the new one, open ones live on, and the log says until when', async (t) => {
    const gateway = await start(t);
    const certificate = await gateway.pki.cluster(demoDns(1));
    const open = await keepOpen(gateway, certificate);
    const before = new X509Certificate(gateway.pki.server.pem);
    assert.equal(await servedBy(gateway), before.serialNumber);

    const next = await mintServerCertificate(['localhost'], gateway.pki.serverCa);
    await writeFile(join(gateway.directory, 'server.crt'), next.pem);
    await writeFile(join(gateway.directory, 'server.key'), next.keyPem);
    const line = await reload(gateway);

    assert.equal(await servedBy(gateway), new X509Certificate(next.pem).serialNumber);
    assert.equal((await open.get('/health'))?.status, 200);
    assert.equal(open.isEnded(), false);
    open.socket.destroy();
    assert.equal(line['connections_closed'], 0);
    assert.equal(line.added.length, 1);
    assert.match(line.added[0] ?? '', /^TLS_CERT_FILE: .* until \w+ +\d+ [\d:]+ \d{4} GMT$/);
    assert.equal(line.removed.length, 1);
    assert.ok(line.removed[0]?.endsWith(`until ${before.validTo}`));
  });

  it('of tokens: who holds a removed one is refused at its next request, also on an open connection', async (t) => {
    const gateway = await start(t);
    const ask = async (token: string): Promise<number> =>
      (await poll(gateway, demoDns(2), undefined, token)).status;
    assert.deepEqual([await ask(READ_TOKEN), await ask(NEXT_TOKEN)], [200, 401]);
    await appendFile(join(gateway.directory, 'tokens'), `${NEXT_TOKEN}\n`);
    const both = await reload(gateway);
    assert.deepEqual([await ask(READ_TOKEN), await ask(NEXT_TOKEN)], [200, 200]);
    assert.match(both.added.join(), /^token reader [0-9a-f]{12}$/);
    const socket = await openRaw(gateway);
    const answers = collect(socket, 2);
    const request = `GET /api/v2/flux/clusters HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${READ_TOKEN}\r\n`;
    // Held open by its second request, of which the last line is still to come.
    socket.write(`GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n${request}`);
    await once(socket, 'data');
    await writeFile(join(gateway.directory, 'tokens'), `${NEXT_TOKEN}\n`);
    const { removed } = await reload(gateway);
    assert.match(removed.join(), /^token reader [0-9a-f]{12}$/);
    assert.deepEqual([await ask(READ_TOKEN), await ask(NEXT_TOKEN)], [401, 200]);
    socket.write('\r\n');
    assert.deepEqual(
      (await answers).answers.map(({ status }) => status),
      [200, 401],
    );
  });

  it('of policies: the next request is decided by the new ones, and those that cannot be read change nothing', async (t) => {
    const gateway = await start(t);
    const certificate = await gateway.pki.cluster(demoDns(1));
    const readers = join(gateway.directory, 'policy', 'readers.cedar');
    const good = await readFile(readers, 'utf8');
    const ask = async (): Promise<number> => (await poll(gateway, demoDns(2), undefined, READ_TOKEN)).status;
    assert.equal(await ask(), 200);
    const forbid =
      '\n@id("no-tokens-today") @reason("closed for today") forbid (principal is Fluxgate::Reader, action, resource);\n';
    await writeFile(readers, good + forbid);
    const line = await reload(gateway);
    assert.ok(line.added.includes('policy no-tokens-today'), line.added.join());
    assert.equal(await ask(), 403);
    assert.equal((await poll(gateway, demoDns(1), certificate)).status, 200);
    await writeFile(readers, `${good}${forbid.slice(0, 40)}`);
    assert.equal(await gateway.gateway.reload('SIGHUP'), false);
    assert.equal(await ask(), 403, 'the last good state');
    await writeFile(readers, good);
    await reload(gateway);
    // By this reload, or by the one that the file's change itself had begun.
    const removed = gateway.log.flatMap((line) => (line['removed'] as readonly string[] | undefined) ?? []);
    assert.ok(removed.includes('policy no-tokens-today'), removed.join());
    assert.equal(await ask(), 200);
  });

  it('of CAs and CRLs: each that came or went is a line, with until when', async (t) => {
    const gateway = await startCrlGateway(t, {});
    const caFile = join(gateway.directory, 'cluster-ca.crt');
    const next = await mintCa('next CA');
    await writeFile(caFile, gateway.pki.clusterBundlePem + next.pem);
    await gateway.put('next.crl', await crlOf(next));
    const came = await reload(gateway);
    assert.deepEqual(came.removed, []);
    assert.equal(came.added.length, 2);
    assert.match(came.added.join('\n'), /^CLUSTER_CA_FILE: "CN=next CA" \(sha256 \w+…\) until 20\d\d-/m);
    assert.match(
      came.added.join('\n'),
      /^CRL_DIR: CRL no\. 1 of "CN=next CA", 0 entries, next update 20\d\d-/m,
    );
    await writeFile(caFile, gateway.pki.clusterBundlePem);
    await gateway.put('next.crl', undefined);
    const went = await reload(gateway);
    assert.deepEqual(went.added, []);
    assert.deepEqual([...went.removed].sort(), [...came.added].sort());
    const same = await reload(gateway);
    assert.equal(same.msg, 'reloaded: nothing has changed');
  });
});
