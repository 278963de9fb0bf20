import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect } from 'node:tls';
import { LIMITS } from '../../src/core/limits.ts';
import { systemClock } from '../../src/shell/clock.ts';
import { type LogLine, startTestGateway, type TestGateway } from '../support/gateway.ts';
import type { MintedChain } from '../support/pki.ts';
import { metricsText } from '../support/secrets.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const OTHER = 'demo-cluster-02.k8s.example.com';
const pathOf = (dns: string): string => `/api/v2/flux/clusters/${dns}/namespaces`;
/** Answered like everything that is no poll, which alone ends its connection. */
const REQUEST = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
const AT_ONCE = LIMITS.pipelinedRequestsMax;
const OF_CLUSTER = `limit: principal, of cluster:${DNS}`;

const limitedLine = (line: LogLine): readonly unknown[] => [line.msg, line['error'], line['reason']];

/** On one connection, some behind each other, until it ends; resolves with the statuses. */
function askFor(
  gateway: TestGateway,
  { chainPem, keyPem }: MintedChain,
  requests: number,
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const trusting = { host: '127.0.0.1', servername: 'localhost', ca: gateway.serverCaPem };
    const socket = connect({ ...trusting, port: gateway.port, cert: chainPem, key: keyPem });
    let sent = 0;
    let text = '';
    const statuses: string[] = [];
    const more = (): void => {
      const next = Math.min(AT_ONCE, requests - sent);
      sent += next;
      if (next === 0) socket.end();
      else socket.write(REQUEST.repeat(next));
    };
    socket.on('secureConnect', more);
    socket.on('data', (octets) => {
      const lines = (text + octets.toString('latin1')).split('\r\n');
      text = lines.pop() ?? '';
      // An answer begins right behind the body of the one before.
      for (const line of lines) {
        const status = /HTTP\/1\.1 (?<status>\d{3}) /.exec(line)?.groups?.['status'];
        if (status !== undefined) statuses.push(status);
      }
      if (statuses.length === sent) more();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(statuses));
  });
}

it('a cluster that asks without end is told to wait, whoever else polls is not, and time gives it back what it may', async (t) => {
  let elapsedMs = 0;
  const gateway = await startTestGateway(t, { clock: { ...systemClock, elapsed: () => elapsedMs } });
  const cluster = await gateway.pki.cluster(DNS);
  const other = await gateway.pki.cluster(OTHER);
  const poll = (dns: string, certificate: MintedChain) => gateway.send({ path: pathOf(dns), certificate });

  const { burst, perSecond } = LIMITS.clusterRequests;
  let answered = 0;
  while (answered < burst) {
    const requests = Math.min(burst - answered, LIMITS.requestsPerSocketMax - 1);
    const statuses = await askFor(gateway, cluster, requests);
    assert.deepEqual([statuses.length, new Set(statuses)], [requests, new Set(['200'])]);
    answered += requests;
  }
  // What was sent behind the first that is refused is not looked at, and its connection is over.
  assert.deepEqual(await askFor(gateway, cluster, AT_ONCE), ['429']);

  const refused = await poll(DNS, cluster);
  assert.equal(refused.status, 429);
  assert.equal(refused.json()['error'], 'rate_limited');
  assert.equal(refused.headers['retry-after'], '1');
  assert.equal(refused.headers['connection'], 'close');
  assert.deepEqual(limitedLine(gateway.logOf(refused)), ['refused', 'rate_limited', OF_CLUSTER]);
  // Where no path says whose it is, the line does all the same.
  const probe = gateway.log.find(({ status, path }) => status === 429 && path === '/health');
  assert.ok(probe !== undefined);
  assert.deepEqual(limitedLine(probe), ['refused', 'rate_limited', OF_CLUSTER]);
  assert.match(
    await metricsText(gateway.gateway.adminAddress),
    /fluxgate_requests_limited_total\{reason="principal"\} 2\n/,
  );

  assert.equal((await poll(OTHER, other)).status, 200, 'another cluster at the same address');
  const operator = await gateway.pki.operator('operator@example.com');
  assert.equal((await gateway.send({ path: '/clusters', certificate: operator })).status, 200);

  elapsedMs += 1_000 / perSecond;
  assert.equal((await poll(DNS, cluster)).status, 200, 'what it may is given back by time');
  assert.equal((await poll(DNS, cluster)).status, 429, 'and no more than that');
});
