import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { connect } from 'node:tls';
import { type Minted, mintCa, mintClusterCertificate } from '../../certs-dev/mint.ts';
import { StartupError } from '../../src/core/errors.ts';
import { readCertificate } from '../../src/core/identity/certificate.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki, withChain } from '../support/pki.ts';
import { demoDns, poll, readTrust, sha256Of } from '../support/trust.ts';

const pki = await createTestPki();
const observed = await mintCa('observed cluster root');
const stranger = await mintCa('a stranger');

async function observeFile(t: { after(fn: () => unknown): void }, pem: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-observe-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'observe.crt');
  await writeFile(file, pem);
  return file;
}

const under = async (root: Minted, dns: string) => withChain(await mintClusterCertificate(dns, root));

it('an observed CA is counted, and lets nobody in', async (t) => {
  const file = await observeFile(t, observed.pem);
  const gateway = await startTestGateway(t, { pki, environment: { CLUSTER_CA_OBSERVE_FILE: file } });
  const early = await under(observed, demoDns(1));
  for (let i = 0; i < 3; i++) {
    const answer = await poll(gateway, demoDns(1), early, WRITE_TOKEN);
    assert.equal(answer.status, 495);
    const line = gateway.logOf(answer)['certificate'] as Record<string, unknown>;
    assert.equal(line['refused'], 'untrusted', 'ours, for OpenSSL has the CA in its store and accepts');
    assert.equal(line['would_be_accepted'], `cluster:${demoDns(1)}`);
  }
  // What the observed CA would not let in either is not counted, nor is a stranger.
  const late = withChain(
    await mintClusterCertificate(demoDns(2), observed, { notAfter: new Date(Date.now() - 60_000) }),
  );
  assert.equal((await poll(gateway, demoDns(2), late)).status, 495);
  assert.equal((await poll(gateway, demoDns(3), await under(stranger, demoDns(3)))).status, 495);
  assert.equal((await poll(gateway, demoDns(3), await pki.cluster(demoDns(3)))).status, 200);

  const { would_be_accepted, authorities } = await readTrust(gateway);
  assert.deepEqual(
    would_be_accepted.clusters.map(({ name, count }) => [name, count]),
    [[demoDns(1), 3]],
  );
  const shown = authorities.find(({ status }) => status === 'observed');
  assert.equal(shown?.sha256, sha256Of(observed));
  assert.deepEqual(shown?.last_seen, { total: 1, names: [demoDns(1)] });

  const admin = gateway.gateway.adminAddress;
  const metrics = await (await fetch(`http://127.0.0.1:${admin?.port}/metrics`)).text();
  assert.match(metrics, /^fluxgate_client_certificates_observed_total 3$/m);

  // Promoted, by the same file: from the next request on it lets in.
  await writeFile(join(gateway.directory, 'cluster-ca.crt'), pki.clusterBundlePem + observed.pem);
  assert.ok(await gateway.gateway.reload('SIGHUP'));
  assert.equal((await poll(gateway, demoDns(1), early)).status, 200);
});

/** What the server says in a handshake of TLS 1.2, where names of CAs pass in the clear. */
async function firstFlight(port: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const proxy = createServer((client) => {
    const server = createConnection(port, '127.0.0.1');
    server.on('data', (chunk: Buffer) => chunks.push(chunk));
    server.on('error', () => {});
    client.on('error', () => {});
    client.pipe(server).pipe(client);
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const { port: proxyPort } = proxy.address() as AddressInfo;
  const options = { ca: pki.serverCa.pem, servername: 'localhost', maxVersion: 'TLSv1.2' } as const;
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: proxyPort, ...options }, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
  proxy.close();
  return Buffer.concat(chunks);
}

it('the name of an observed CA is among those that the handshake asks for: Go would send nothing else', async (t) => {
  const file = await observeFile(t, observed.pem);
  const environment = { TLS_MIN_VERSION: 'TLSv1.2', CLUSTER_CA_OBSERVE_FILE: file };
  const gateway = await startTestGateway(t, { pki, environment });
  const flight = await firstFlight(gateway.port);
  for (const root of [pki.clusterRoot, pki.operatorRoot, observed]) {
    assert.ok(flight.includes(readCertificate(root.der).subject.der), String(root.request.subject.CN));
  }
  assert.ok(!flight.includes(readCertificate(stranger.der).subject.der));
});

it('a CA to observe that could never be loaded is a refusal to start', async (t) => {
  for (const [pem, message] of [
    ['', /CLUSTER_CA_OBSERVE_FILE/],
    [pki.operatorBundlePem, /^CLUSTER_CA_OBSERVE_FILE: \/\S+ and OPERATOR_CA_FILE: \/\S+ both hold/],
  ] as const) {
    const file = await observeFile(t, pem);
    await assert.rejects(
      startTestGateway(t, { pki, environment: { CLUSTER_CA_OBSERVE_FILE: file } }),
      (error) => error instanceof StartupError && message.test(error.message),
    );
  }
});

it('an observed CA of the name of the one in force changes nothing for the clusters of the latter', async (t) => {
  // Several, because which one OpenSSL tries is a matter of order.
  const twins: string[] = [];
  for (let days = 1; days <= 6; days++) {
    const notAfter = new Date(Date.now() + days * 1_000 * 86_400_000);
    twins.push((await mintCa('test cluster intermediate', { subjectKeyId: null, notAfter })).pem);
  }
  const file = await observeFile(t, twins.join(''));
  const gateway = await startTestGateway(t, { pki, environment: { CLUSTER_CA_OBSERVE_FILE: file } });
  // Without key identifiers OpenSSL can tell the two apart by trying only, and it tries one.
  const certificate = await pki.cluster(demoDns(1), { authorityKeyId: null });
  assert.equal((await poll(gateway, demoDns(1), certificate)).status, 200);
});
