import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { mintCa, mintClusterCertificate, mintServerCertificate } from '../../certs-dev/mint.ts';
import { crlOf } from '../support/crls.ts';
import { fluxEvent, inputsPath, report } from '../support/fleet-status.ts';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki, type MintedChain, withChain } from '../support/pki.ts';
import { closed } from '../support/proxied.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { until } from '../support/until.ts';

const [FIRST = '', SECOND = '', THIRD = ''] = ['01', '02', '03'].map(
  (n) => `demo-cluster-${n}.k8s.example.com`,
);
/** Never accepted from: the limits of strangers hold for it. */
const STRANGER = '127.0.0.77';
const PROXY = '127.0.0.88';

/** Samples by name and labels, as Prometheus would read them. */
type Samples = ReadonlyMap<string, number>;

const pki = await createTestPki();
const observed = await mintCa('observed root');

describe('GET /metrics', () => {
  const gateway = shareGateway({
    pki,
    environment: {
      CONNECTIONS_MAX: '100',
      OPERATOR_NETWORKS: '127.0.0.1/32',
      TRUSTED_PROXIES: `${PROXY}/32`,
    },
    prepare: async (directory) => {
      await mkdir(join(directory, 'crl'));
      await writeFile(join(directory, 'observe.crt'), observed.pem);
      return { CRL_DIR: join(directory, 'crl'), CLUSTER_CA_OBSERVE_FILE: join(directory, 'observe.crt') };
    },
  });
  const sockets: Socket[] = [];
  after(() => {
    for (const socket of sockets) socket.destroy();
  });

  const samples = async (): Promise<Samples> => {
    const { adminAddress } = gateway().gateway;
    const text = await (await fetch(`http://127.0.0.1:${adminAddress?.port}/metrics`)).text();
    return new Map(
      [...text.matchAll(/^(fluxgate_\w+(?:\{.*\})?) (\S+)$/gm)].map(([, name = '', value]) => [
        name,
        Number(value),
      ]),
    );
  };
  /** How much what is selected has grown, over all labels that are not named. */
  const moved = async (
    act: () => unknown,
  ): Promise<(name: string, ...labels: readonly string[]) => number> => {
    const before = await samples();
    await act();
    const later = await samples();
    const sum = (of: Samples, name: string, labels: readonly string[]): number =>
      [...of]
        .filter(
          ([key]) =>
            (key === name || key.startsWith(`${name}{`)) && labels.every((label) => key.includes(label)),
        )
        .reduce((total, [, value]) => total + value, 0);
    return (name, ...labels) => sum(later, name, labels) - sum(before, name, labels);
  };
  const poll = async (
    dns: string,
    certificate: MintedChain | undefined,
    status: number,
    route?: string,
    token?: string,
  ) => {
    const answer = await gateway().send({ path: inputsPath(dns, route), certificate, token });
    assert.equal(answer.status, status);
  };
  const tcp = async (localAddress: string): Promise<Socket> => {
    const socket = createConnection({ host: '127.0.0.1', port: gateway().port, localAddress });
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
    // A reset may come before the client knows that it was connected.
    await new Promise<void>((resolve) => {
      socket.once('connect', () => resolve());
      socket.once('close', () => resolve());
    });
    return socket;
  };

  it('polls, handshakes, authentication, caches, certificates and clusters by state, of one poll that is served', async () => {
    const certificate = await pki.cluster(FIRST);
    const by = await moved(() => poll(FIRST, certificate, 200));
    assert.equal(by('fluxgate_polls_total', 'route="platform-components"', 'result="served"'), 1);
    assert.equal(by('fluxgate_requests_total', 'operation="getPlatformComponentInputs"', 'status="200"'), 1);
    assert.equal(by('fluxgate_request_duration_seconds_count', 'operation="getPlatformComponentInputs"'), 1);
    assert.equal(by('fluxgate_authentications_total', 'method="certificate"', 'result="accepted"'), 1);
    assert.equal(by('fluxgate_client_certificate_expiration_seconds_count'), 1);
    assert.equal(by('fluxgate_client_certificate_expiration_seconds_bucket', 'le="3600"'), 0);
    assert.equal(
      by(
        'fluxgate_tls_handshakes_total',
        'result="done"',
        'version="TLSv1.3"',
        'cipher="TLS_AES_',
        'group="X25519MLKEM768"',
      ),
      1,
    );
    assert.equal(by('fluxgate_cache_lookups_total', 'cache="verdicts"', 'result="miss"'), 1);
    assert.ok(by('fluxgate_cache_lookups_total', 'cache="decisions"', 'result="miss"') > 0);
    assert.equal(by('fluxgate_cluster_certificates_expiring', 'within="'), 1);
    assert.equal(by('fluxgate_clusters', 'state="never"'), -1);
    assert.equal(by('fluxgate_clusters', 'state="current"'), 1);
    const again = await moved(() => poll(FIRST, certificate, 200));
    assert.ok(again('fluxgate_cache_lookups_total', 'cache="decisions"', 'result="hit"') > 0);
    assert.ok(again('fluxgate_cache_lookups_total', 'cache="verdicts"', 'result="hit"') > 0);
  });

  it('refusals by reason, and by the policy that decided', async () => {
    const certificate = await pki.cluster(FIRST);
    const stranger = withChain(await mintClusterCertificate(FIRST, await mintCa('a stranger')));
    const by = await moved(async () => {
      await poll(SECOND, certificate, 403);
      await poll(FIRST, stranger, 495, 'namespaces');
      await poll(FIRST, undefined, 401);
      await poll(FIRST, undefined, 401, 'rolebindings', 'a-token-that-nobody-knows');
      await poll(FIRST, undefined, 403, 'rolebindings', READ_TOKEN);
      await poll(SECOND, undefined, 200, 'rolebindings', READ_TOKEN);
      const operator = { path: '/clusters', token: WRITE_TOKEN };
      assert.equal((await gateway().send(operator)).status, 200);
      assert.equal((await gateway().send({ ...operator, localAddress: STRANGER })).status, 403);
    });
    assert.equal(by('fluxgate_polls_total', 'result="refused"'), 5);
    assert.equal(by('fluxgate_polls_total', 'route="rolebindings"', 'result="served"'), 1);
    assert.equal(by('fluxgate_refusals_total', 'reason="policy"', 'policy="never-other-cluster"'), 1);
    assert.equal(by('fluxgate_refusals_total', 'reason="policy"', 'policy="ratchet-tokens"'), 1);
    assert.equal(by('fluxgate_refusals_total', 'reason="network"'), 1);
    assert.equal(by('fluxgate_refusals_total', 'reason="certificate"'), 1);
    assert.equal(by('fluxgate_refusals_total', 'reason="no_credential"'), 1);
    assert.equal(by('fluxgate_refusals_total', 'reason="token"'), 1);
    assert.equal(by('fluxgate_client_certificates_refused_total', 'rule="untrusted"'), 1);
    assert.equal(by('fluxgate_authentications_total', 'method="certificate"', 'result="refused"'), 1);
    assert.equal(by('fluxgate_authentications_total', 'method="token"', 'result="refused"'), 1);
    assert.equal(by('fluxgate_authentications_total', 'method="none"', 'result="refused"'), 1);
    assert.equal(by('fluxgate_authentications_total', 'method="read_token"', 'result="accepted"'), 2);
    assert.equal(by('fluxgate_authentications_total', 'method="write_token"', 'result="accepted"'), 1);
    assert.equal(by('fluxgate_audit_events_total', 'event="denied"'), 3);
    assert.equal(by('fluxgate_clusters', 'state="refused"'), 1);
  });

  it('reports, revisions and the store', async () => {
    const flushed = await samples();
    const certificate = await pki.cluster(FIRST);
    const by = await moved(async () => {
      for (const [severity, reason] of [
        ['info', 'ReconciliationSucceeded'],
        ['error', 'BuildFailed'],
        ['info', 'Progressing'],
      ]) {
        await report(gateway(), FIRST, fluxEvent({ severity, reason }), { certificate });
      }
      await report(gateway(), FIRST, fluxEvent({}, 'Kustomization', 'flux-system'), { certificate });
      const request = { method: 'PATCH', path: '/clusters/demo-cluster-01', token: WRITE_TOKEN };
      assert.equal(
        (await gateway().send({ ...request, body: { patches: { podinfo: { a: 'b' } } } })).status,
        200,
      );
    });
    for (const taken of ['applied', 'failed', 'progress', 'ignored']) {
      assert.equal(by('fluxgate_reports_total', `taken="${taken}"`), 1);
    }
    assert.equal(by('fluxgate_revision'), 1);
    assert.equal(by('fluxgate_store_operation_duration_seconds_count', 'operation="transaction"'), 1);
    // What is written behind requests, and the looks for others, come by themselves, at any time since.
    const countOf = (of: Samples, operation: string): number =>
      of.get(`fluxgate_store_operation_duration_seconds_count{operation="${operation}"}`) ?? 0;
    for (const operation of ['flush', 'look']) {
      await until(
        async () => countOf(await samples(), operation) > countOf(flushed, operation),
        operation,
        20_000,
      );
    }
  });

  it('revocations and who comes in spite of them', async () => {
    const certificate = await pki.cluster(SECOND);
    const by = await moved(async () => {
      const body = { cluster_dns: SECOND, reason: 'a test' };
      assert.equal(
        (await gateway().send({ method: 'POST', path: '/revocations', token: WRITE_TOKEN, body })).status,
        201,
      );
      await poll(SECOND, certificate, 495);
    });
    assert.equal(by('fluxgate_revocations', 'kind="cluster_dns"'), 1);
    assert.equal(by('fluxgate_revocation_attempts_total', 'kind="cluster_dns"'), 1);
    assert.ok(by('fluxgate_trust_generation') > 0);
  });

  it('keys: changes, and two in use under one name', async () => {
    const [own, other] = [await pki.cluster(THIRD), await pki.cluster(THIRD)];
    const by = await moved(async () => {
      for (const certificate of [own, other, own, other]) await poll(THIRD, certificate, 200);
    });
    assert.ok(by('fluxgate_key_pin_changes_total') > 0);
    assert.equal(by('fluxgate_key_pin_conflicts'), 1);
  });

  it('reloads, CRLs, CAs, and the gateway’s own certificate', async () => {
    const { directory } = gateway();
    const nextCa = await mintCa('the next cluster CA');
    const early = new Date(Date.now() + 86_400_000);
    const server = await mintServerCertificate(['localhost', '127.0.0.1'], pki.serverCa, { notAfter: early });
    const by = await moved(async () => {
      await writeFile(join(directory, 'crl', 'a.crl'), await crlOf(pki.clusterIntermediate));
      await writeFile(join(directory, 'cluster-ca.crt'), pki.clusterBundlePem + nextCa.pem);
      await writeFile(join(directory, 'server.crt'), withChain(server).chainPem);
      await writeFile(join(directory, 'server.key'), server.keyPem);
      assert.ok(await gateway().gateway.reload('SIGHUP'));
    });
    assert.ok(by('fluxgate_reloads_total', 'result="done"') > 0);
    assert.ok(by('fluxgate_trust_generation') > 0);
    assert.equal(by('fluxgate_crls', 'status="fresh"'), 1);
    assert.ok(by('fluxgate_crl_next_update_timestamp_seconds') > Date.now() / 1_000);
    assert.ok(
      by('fluxgate_authority_not_after_timestamp_seconds', 'bundle="cluster"', 'role="anchor"') >
        Date.now() / 1_000,
    );
    assert.ok(
      by('fluxgate_server_certificate_not_after_timestamp_seconds') < 0,
      'it ends sooner than the one before',
    );
    const refused = await moved(async () => {
      await writeFile(join(directory, 'crl', 'b.crl'), 'no CRL');
      assert.equal(await gateway().gateway.reload('SIGHUP'), false);
    });
    assert.ok(refused('fluxgate_reloads_total', 'result="refused"') > 0);
    const seen = await moved(async () =>
      poll(THIRD, withChain(await mintClusterCertificate(THIRD, observed)), 495),
    );
    assert.equal(seen('fluxgate_client_certificates_observed_total'), 1);
  });

  it('connections: open, unfinished, failed, refused, and headers of proxies', async () => {
    const opened = await moved(async () => {
      for (let n = 0; n < 3; n++) await tcp(STRANGER);
    });
    assert.equal(opened('fluxgate_open_connections'), 3);
    assert.equal(opened('fluxgate_tls_handshakes_unfinished'), 3);
    const failed = await moved(async () => {
      const socket = await tcp(STRANGER);
      socket.end('this is no TLS at all\r\n\r\n');
      await closed(socket);
    });
    assert.equal(failed('fluxgate_tls_handshakes_total', 'result="failed"', 'version="none"'), 1);
    const proxied = await moved(async () => {
      const socket = await tcp(PROXY);
      socket.write('no PROXY header\r\n\r\n');
      await closed(socket);
    });
    assert.equal(proxied('fluxgate_proxy_headers_refused_total'), 1);
    // A quarter of CONNECTIONS_MAX is for strangers.
    const refused = await moved(async () => {
      const address = '127.0.0.99';
      for (let n = 0; n < 40; n++) await tcp(address);
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    assert.ok(refused('fluxgate_connections_refused_total', 'reason="') > 0);
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  it('requests that are limited, and load that sheds', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: pki.serverCa.pem });
    const limited = await moved(async () => {
      let refused = 0;
      for (let n = 0; n < 400 && refused === 0; n++) {
        const answers = await Promise.all(
          [1, 2, 3, 4, 5, 6].map(() => gateway().send({ path: '/health', agent })),
        );
        refused += answers.filter(({ status }) => status === 429).length;
      }
      assert.ok(refused > 0);
    });
    agent.destroy();
    assert.ok(limited('fluxgate_requests_limited_total', 'reason="anonymous"') > 0);
    // Late turn after turn: what a machine with too much to do looks like from inside.
    const isShedding = async (): Promise<boolean> => {
      for (let turn = 0; turn < 7; turn++) {
        const over = performance.now() + 400;
        while (performance.now() < over);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return ((await samples()).get('fluxgate_load_shedding') ?? 0) > 0;
    };
    await until(isShedding, 'load sheds', 40_000);
    await until(
      async () => (await samples()).get('fluxgate_load_shedding') === 0,
      'it ends by itself',
      20_000,
    );
  });

  it('the process: its CPU, its memory, its event loop', async () => {
    const by = await moved(async () => {
      const over = performance.now() + 50;
      while (performance.now() < over);
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    assert.ok(by('fluxgate_process_cpu_seconds_total') > 0);
    const now = await samples();
    assert.ok((now.get('fluxgate_nodejs_eventloop_lag_p99_seconds') ?? 0) > 0);
    assert.ok((now.get('fluxgate_process_resident_memory_bytes') ?? 0) > 10_000_000);
  });
});
