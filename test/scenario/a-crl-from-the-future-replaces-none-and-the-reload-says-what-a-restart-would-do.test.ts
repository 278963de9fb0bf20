import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../src/shell/clock.ts';
import { crlOf } from '../support/crls.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { demoDns, poll } from '../support/trust.ts';

const HOUR = 3_600_000;
const DNS = demoDns(1);

const warningsOf = ({ log }: TestGateway): readonly string[] =>
  log.filter(({ level, msg }) => level === 'warn' && msg.startsWith('CRL_DIR: ')).map(({ msg }) => msg);

test('a CRL from the future', async (t) => {
  const pki = await createTestPki();
  const revoked = await pki.cluster(DNS);
  const good = await pki.cluster(DNS);
  const before = await crlOf(pki.clusterIntermediate, [revoked]);
  const begin = new Date(Date.now() + HOUR);
  const future = await crlOf(pki.clusterIntermediate, [], { thisUpdate: begin, number: 2 });
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-crl-future-'));
  const crlDir = await mkdtemp(join(tmpdir(), 'fluxgate-crl-future-'));
  t.after(() => Promise.all([directory, crlDir].map((path) => rm(path, { recursive: true, force: true }))));
  const put = (name: string, content: string) => writeFile(join(crlDir, name), content);
  let ahead = 0;
  const clock: Clock = { ...systemClock, now: () => Date.now() + ahead };
  const DATABASE_URL = `sqlite://${join(directory, 'fleet.db')}`;
  const start = () => startTestGateway(t, { pki, clock, environment: { DATABASE_URL, CRL_DIR: crlDir } });
  const stands = async (gateway: TestGateway) => [
    (await poll(gateway, DNS, revoked)).status,
    (await poll(gateway, DNS, good)).status,
    (await gateway.send({ path: '/ready' })).status,
  ];

  await put('issuing.crl', before);
  const first = await start();
  assert.deepEqual(await stands(first), [495, 200, 200]);

  await t.test('leaves the one before in force, and the log says for how long and what ends it', async () => {
    await put('issuing.crl', future);
    assert.equal(await first.gateway.reload('SIGHUP'), true);
    assert.deepEqual(await stands(first), [495, 200, 200]);
    const [warning = '', ...others] = warningsOf(first);
    assert.deepEqual(others, []);
    for (const said of [
      /^CRL_DIR: CRL no\. 2 of "CN=test cluster intermediate" \(issuing\.crl\) is from the future \(thisUpdate 20/,
      /CRL no\. 1 of "CN=test cluster intermediate" \(issuing\.crl\) stays in force meanwhile, but its file is gone/,
      /a process that starts before then, a worker too, refuses every certificate of that issuer/,
    ]) {
      assert.match(warning, said);
    }
    const reloaded = first.log.findLast(({ msg }) => msg === 'reloaded');
    assert.match(String(reloaded?.['added']), /CRL no\. 2 of .*, not in force before 20/);
    const { crls } = (await first.send({ path: '/trust', token: WRITE_TOKEN })).json<{
      crls: { remembered: boolean; status: string }[];
    }>();
    assert.deepEqual(
      crls.map(({ remembered, status }) => [remembered, status]),
      [[true, 'fresh']],
    );
  });

  await first.gateway.close();
  const second = await start();
  await t.test('lets nobody of its issuer in after a restart, as was said', async () => {
    assert.deepEqual(await stands(second), [495, 495, 503]);
    assert.match(warningsOf(second).join(), /Put the CRL before into CRL_DIR, beside this one/);
  });

  await t.test('harms nobody beside the one before, and is in force once it begins', async () => {
    await put('issuing-before.crl', before);
    assert.equal(await second.gateway.reload('SIGHUP'), true);
    assert.deepEqual(await stands(second), [495, 200, 200]);
    assert.equal(warningsOf(second).length, 1);
    ahead = HOUR;
    assert.deepEqual(await stands(second), [200, 200, 200]);
  });
});
