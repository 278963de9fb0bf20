import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { auditExport, auditVerify } from '../../src/cli/audit-trail.ts';
import { CommandFailed } from '../../src/cli/context.ts';
import type { AuditRecord } from '../../src/core/audit/trail.ts';
import type { ClientCertificate } from '../support/client.ts';
import { READ_TOKEN, startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki, type TestPki } from '../support/pki.ts';
import { formTokenOf, visitor } from '../support/status-page.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const POLL = `/api/v2/flux/clusters/${DNS}/namespaces`;

describe('the audit trail', () => {
  let directory = '';
  let pki: TestPki;
  let gateway: TestGateway;
  let operator: ClientCertificate;
  const key = generateKeyPairSync('ed25519');
  const cleanups: (() => unknown)[] = [];
  const database = (): string => `sqlite://${join(directory, 'fleet.db')}`;
  const lines: string[] = [];
  const context = {
    environment: {},
    workingDirectory: '.',
    logDestination: { write: () => undefined },
    print: (line: string) => void lines.push(line),
  };
  const audit = async (query: string): Promise<AuditRecord[]> =>
    (await gateway.send({ path: `/audit?${query}`, certificate: operator })).json<AuditRecord[]>();

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fluxgate-audit-'));
    pki = await createTestPki();
    operator = await pki.operator('sam@example.com', ['platform-team']);
    const keyFile = join(directory, 'audit.key');
    await writeFile(keyFile, key.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
    gateway = await startTestGateway(context as never, {
      pki,
      environment: { DATABASE_URL: database(), AUDIT_SIGNING_KEY_FILE: keyFile },
    });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
    await rm(directory, { recursive: true });
  });

  it('tells of a change who made it, from where, by which policy, and each field before and after', async () => {
    const answer = await gateway.send({
      method: 'PATCH',
      path: '/clusters/demo-cluster-01',
      body: { node_count: 7 },
      certificate: operator,
      headers: { 'change-reason': 'more load' },
    });
    assert.equal(answer.status, 200);
    const [entry] = await audit('event=fleet_changed&limit=1');
    assert.equal(entry?.actor?.principal, 'operator:sam@example.com');
    assert.match(entry?.actor?.sha256 ?? '', /^[0-9a-f]{64}$/);
    assert.equal(entry?.source, '127.0.0.1');
    assert.equal(entry?.operation, 'patchCluster');
    assert.equal(entry?.decision, 'allow');
    assert.deepEqual(entry?.policies, ['operators-certificate']);
    assert.equal(entry?.request_id, answer.headers['x-request-id']);
    assert.equal(entry?.object, 'cluster/demo-cluster-01');
    assert.equal(entry?.reason, 'more load');
    assert.ok(entry);
    const { changes, revision } = entry.details as { revision: number; changes: { fields: object[] }[] };
    assert.ok(revision > 0);
    assert.deepEqual(changes[0]?.fields, [{ field: '/node_count', before: 3, after: 7 }]);
  });

  it('is asked for a time to the second or to the millisecond, and says what is wrong with another', async () => {
    const [first] = await audit('limit=1');
    assert.ok(first !== undefined);
    const second = `${first.at.slice(0, 19)}Z`;
    const next = new Date(Date.parse(second) + 1_000).toISOString().replace('.000', '');
    const of = async (query: string): Promise<readonly number[]> =>
      (await audit(query)).map(({ sequence }) => sequence);
    assert.ok((await of(`since=${second}&until=${next}`)).includes(first.sequence));
    assert.ok((await of(`since=${first.at}&until=${first.at}`)).includes(first.sequence));
    assert.ok(!(await of(`until=${second}`)).includes(first.sequence) || first.at.endsWith('.000Z'));
    for (const query of [
      'since=yesterday',
      'until=2026-13-01T00:00:00Z',
      'since=2026-11-20',
      'object=demo-cluster-01',
    ]) {
      const answer = await gateway.send({ path: `/audit?${query}`, certificate: operator });
      assert.equal(answer.status, 400, query);
      assert.doesNotMatch(answer.body.toString(), /undefined/);
      assert.match(answer.body.toString(), /must match \^/);
    }
  });

  it('tells of a revocation and its end, and of a token', async () => {
    const made = await gateway.send({
      method: 'POST',
      path: '/revocations',
      body: { certificate_sha256: '00'.repeat(32), reason: 'lost laptop' },
      certificate: operator,
    });
    const id = made.json<{ id: string }>().id;
    await gateway.send({ method: 'DELETE', path: `/revocations/${id}`, certificate: operator });
    const entries = await audit(`object=revocation/${id}`);
    assert.deepEqual(
      entries.map(({ event, actor }) => [event, actor?.principal]),
      [
        ['revocation_lifted', 'operator:sam@example.com'],
        ['revocation_made', 'operator:sam@example.com'],
      ],
    );
    assert.equal(entries[1]?.reason, 'lost laptop');
    const token = await gateway.send({
      method: 'POST',
      path: '/tokens',
      body: { name: 'ci', kind: 'reader', ttl: 600 },
      certificate: operator,
    });
    assert.equal(token.status, 201, String(token.body));
    const record = token.json<{ id: string; token: string }>();
    const [about] = await audit(`object=token/${record.id}`);
    assert.equal(about?.event, 'token_made');
    assert.ok(!JSON.stringify(about).includes(record.token));
  });

  it('tells of those who were refused, many alike in one row, and by which rule', async () => {
    for (let n = 0; n < 3; n++) await gateway.send({ path: POLL, token: 'not-a-token-of-ours' });
    await gateway.send({ path: '/clusters', token: READ_TOKEN });
    const stranger = await createTestPki();
    await gateway.send({ path: POLL, certificate: await stranger.cluster(DNS) });
    const [unknown] = await audit('event=unauthenticated');
    assert.equal(unknown?.count, 3);
    assert.equal(unknown?.actor?.credential, 'none');
    const [denied] = await audit('event=denied');
    assert.match(denied?.actor?.principal ?? '', /^reader:token-/);
    assert.equal(denied?.operation, 'listClusters');
    const [refused] = await audit('event=certificate_refused');
    assert.equal(refused?.object, `cluster_dns/${DNS}`);
    assert.match(refused?.reason ?? '', /untrusted|no_path|anchor/);
  });

  it('tells who signed in to the status page and out of it, many alike in one row', async () => {
    const person = visitor(gateway);
    for (const one of [person, visitor(gateway), visitor(gateway)]) {
      assert.equal((await one.signIn(WRITE_TOKEN)).status, 200);
    }
    const page = await person.get('/ui');
    assert.equal((await person.post('/ui/sign-out', { form_token: formTokenOf(page) })).status, 200);
    for (const [event, operation, count] of [
      ['signed_in', 'signInOnPage', 3],
      ['signed_out', 'signOut', undefined],
    ] as const) {
      const [entry, ...others] = await audit(`event=${event}`);
      assert.deepEqual(others, []);
      assert.deepEqual([entry?.operation, entry?.count, entry?.source], [operation, count, '127.0.0.1']);
      assert.match(entry?.actor?.principal ?? '', /^writer:token-[0-9a-f]{12}$/);
      assert.equal(entry?.actor?.credential, 'token');
    }
    const stranger = visitor(gateway);
    assert.equal((await stranger.signIn('not-a-token-of-ours')).status, 401);
    assert.equal((await audit('event=signed_in')).length, 1, 'who was refused has not signed in');
  });

  it('tells of reloads and of the start', async () => {
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    assert.equal((await audit('event=reloaded'))[0]?.actor?.principal, 'fluxgate');
    assert.equal((await audit('event=started')).length, 1);
  });

  it('holds no credential, in whatever row', async () => {
    const all = JSON.stringify(await audit('limit=10000'));
    for (const secret of [READ_TOKEN, WRITE_TOKEN, 'not-a-token-of-ours', 'PRIVATE KEY', 'Bearer ']) {
      assert.ok(!all.includes(secret), secret);
    }
  });

  it('is open to nobody but operators', async () => {
    for (const path of ['/audit', '/audit/head']) {
      assert.equal((await gateway.send({ path, token: READ_TOKEN })).status, 403);
      assert.equal((await gateway.send({ path })).status, 401);
      assert.equal((await gateway.send({ path, certificate: await pki.cluster(DNS) })).status, 403);
    }
  });

  it('is whole on the running store, and is not once a row was touched; a head that was kept shows a trail written anew', async () => {
    const head = await gateway.send({ path: '/audit/head', certificate: operator });
    const headFile = join(directory, 'head.json');
    const keyFile = join(directory, 'audit.pub');
    await writeFile(headFile, head.body);
    await writeFile(keyFile, key.publicKey.export({ format: 'pem', type: 'spki' }));
    await auditVerify(context, { database: database(), head: headFile, key: keyFile });
    assert.match(lines.join('\n'), /the audit trail is whole: \d+ rows/);
    lines.length = 0;
    await auditExport(context, { database: database() });
    const { sequence } = head.json<{ sequence: number }>();
    assert.ok(lines.length >= sequence && lines.every((line) => 'document' in JSON.parse(line)));

    for (const cleanup of cleanups.splice(0)) await cleanup();
    const file = new SqliteDatabase(join(directory, 'fleet.db'));
    file.exec('DROP TRIGGER audit_never_changed; DROP TRIGGER audit_never_deleted');
    const { hash } = file.prepare('SELECT hash FROM audit WHERE sequence = 2').get() as { hash: string };
    file.exec("UPDATE audit SET document = json_set(document, '$.reason', 'nothing') WHERE sequence = 2");
    file.close();
    await assert.rejects(auditVerify(context, { database: database() }), (error: unknown) => {
      assert.ok(error instanceof CommandFailed);
      assert.match(error.message, /row 2 is not what was written there/);
      return true;
    });
    assert.match(hash, /^[0-9a-f]{64}$/);
    const anew = new SqliteDatabase(join(directory, 'fleet.db'));
    anew.exec("DELETE FROM audit; DELETE FROM sqlite_sequence WHERE name = 'audit'");
    anew.close();
    await auditVerify(context, { database: database() });
    await assert.rejects(
      auditVerify(context, { database: database(), head: headFile }),
      /NOT whole: rows 1 to \d+ are missing at the end: the head/,
    );
    const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' });
    await writeFile(keyFile, other);
    await assert.rejects(
      auditVerify(context, { database: database(), head: headFile, key: keyFile }),
      /not signed/,
    );
  });
});
