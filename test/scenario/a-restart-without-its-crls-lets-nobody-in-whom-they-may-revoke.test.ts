import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { crlOf } from '../support/crls.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { demoDns, poll } from '../support/trust.ts';

const DNS = demoDns(1);
const pki = await createTestPki();
const revoked = await pki.cluster(DNS);
const good = await pki.cluster(DNS);
const operator = await pki.operator('op@example.com');
const crl = await crlOf(pki.clusterIntermediate, [revoked]);

interface Stage {
  readonly crlDir: string;
  /** A gateway on the store of the one before it. */
  restart(environment?: Readonly<Record<string, string>>): Promise<TestGateway>;
}

/** A gateway that had a CRL has ended; what is in CRL_DIR by now is another matter. */
async function setStage(t: TestContext): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-crls-gone-'));
  const crlDir = await mkdtemp(join(tmpdir(), 'fluxgate-crls-gone-'));
  t.after(() => Promise.all([directory, crlDir].map((path) => rm(path, { recursive: true, force: true }))));
  const DATABASE_URL = `sqlite://${join(directory, 'fleet.db')}`;
  let last: TestGateway | undefined;
  const restart = async (environment: Readonly<Record<string, string>> = { CRL_DIR: crlDir }) => {
    await last?.gateway.close();
    last = await startTestGateway(t, { pki, environment: { DATABASE_URL, ...environment } });
    return last;
  };
  await writeFile(join(crlDir, 'issuing.crl'), crl);
  const first = await restart();
  assert.deepEqual(await statuses(first), [495, 200]);
  await rm(join(crlDir, 'issuing.crl'));
  return { crlDir, restart };
}

const statuses = async (gateway: TestGateway): Promise<number[]> => [
  (await poll(gateway, DNS, revoked)).status,
  (await poll(gateway, DNS, good)).status,
];

describe('a restart with an empty CRL_DIR', () => {
  it('refuses whoever a list that was there may revoke, says so, and nobody else; the list makes it good again', async (t) => {
    const { crlDir, restart } = await setStage(t);
    const gateway = await restart();
    assert.deepEqual(await statuses(gateway), [495, 495]);
    const refused = await poll(gateway, DNS, good);
    const logged = gateway.logOf(refused)['certificate'] as Record<string, unknown>;
    assert.equal(logged['refused'], 'crl_stale');
    assert.equal((await gateway.send({ path: '/clusters', certificate: operator })).status, 200);
    assert.equal((await gateway.send({ path: '/ready' })).status, 503);
    const warning = /no CRL of "CN=test cluster intermediate", which had one before/;
    assert.ok(gateway.log.some(({ level, msg }) => level === 'warn' && warning.test(msg)));
    const report = await gateway.send({ path: '/trust', token: WRITE_TOKEN });
    const { crls_missing } = report.json<{ crls_missing: { issuer: string }[] }>();
    assert.deepEqual(
      crls_missing.map(({ issuer }) => issuer),
      ['CN=test cluster intermediate'],
    );
    const admin = gateway.gateway.adminAddress;
    const metrics = await (await fetch(`http://127.0.0.1:${admin?.port}/metrics`)).text();
    assert.match(metrics, /^fluxgate_crls\{status="missing"\} 1$/m);

    await writeFile(join(crlDir, 'issuing.crl'), crl);
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    assert.deepEqual(await statuses(gateway), [495, 200]);
    assert.equal((await gateway.send({ path: '/ready' })).status, 200);
  });

  it('lets them in where CRL_POLICY=prefer-fresh, with a warning', async (t) => {
    const { crlDir, restart } = await setStage(t);
    const gateway = await restart({ CRL_DIR: crlDir, CRL_POLICY: 'prefer-fresh' });
    assert.deepEqual(await statuses(gateway), [200, 200]);
    assert.ok(
      gateway.log.some(({ level, msg }) => level === 'warn' && /whom it revoked is not known/.test(msg)),
    );
  });

  it('expects none any more once it was started without CRL_DIR, and that is told', async (t) => {
    const { restart } = await setStage(t);
    const without = await restart({});
    assert.deepEqual(await statuses(without), [200, 200]);
    assert.ok(without.log.some(({ level, msg }) => level === 'warn' && msg.startsWith('CRL_DIR is not set')));
    const gateway = await restart();
    assert.deepEqual(await statuses(gateway), [200, 200]);
  });

  it('expects the list of a CA that came with a reload as well', async (t) => {
    const { crlDir, restart } = await setStage(t);
    await writeFile(join(crlDir, 'issuing.crl'), crl);
    const gateway = await restart();
    await writeFile(join(crlDir, 'operators.crl'), await crlOf(pki.operatorRoot));
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    await rm(join(crlDir, 'operators.crl'));
    const next = await restart();
    assert.deepEqual(await statuses(next), [495, 200]);
    assert.equal((await next.send({ path: '/clusters', certificate: operator })).status, 495);
  });
});
