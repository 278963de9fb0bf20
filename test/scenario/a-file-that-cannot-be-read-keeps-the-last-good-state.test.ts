import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { crlOf } from '../support/crls.ts';
import { READ_TOKEN, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { demoDns, poll } from '../support/trust.ts';
import { withoutPermission } from '../support/without-permission.ts';

const DNS = demoDns(1);
const POLICIES = fileURLToPath(new URL('../../policy/', import.meta.url));
const pki = await createTestPki();
const leaf = await pki.cluster(DNS);
const revoked = await pki.cluster(DNS);
const crl = await crlOf(pki.clusterIntermediate, [revoked]);

/** Below the gateway's directory → how the error line begins. */
const FILES = {
  'cluster-ca.crt': 'CLUSTER_CA_FILE: ',
  'operator-ca.crt': 'OPERATOR_CA_FILE: ',
  'server.crt': 'TLS_CERT_FILE: ',
  'server.key': 'TLS_KEY_FILE: ',
  'read-tokens': 'AUTH_TOKEN_FILE: ',
  'crls/issuing.crl': 'CRL_DIR: issuing.crl ',
  'policy/never.cedar': 'POLICY_DIR: ',
};

function start(t: TestContext): Promise<TestGateway> {
  return startTestGateway(t, {
    pki,
    prepare: async (directory) => {
      await mkdir(join(directory, 'crls'));
      await writeFile(join(directory, 'crls', 'issuing.crl'), crl);
      await writeFile(join(directory, 'read-tokens'), `${READ_TOKEN}\n`);
      await cp(POLICIES, join(directory, 'policy'), { recursive: true });
      return {
        AUTH_TOKEN_FILE: join(directory, 'read-tokens'),
        CRL_DIR: join(directory, 'crls'),
        POLICY_DIR: join(directory, 'policy'),
      };
    },
    environment: { AUTH_TOKEN: undefined },
  });
}

async function standsFirm(gateway: TestGateway): Promise<void> {
  assert.equal((await poll(gateway, DNS, leaf)).status, 200);
  assert.equal((await poll(gateway, DNS, revoked)).status, 495);
  assert.equal((await poll(gateway, demoDns(2), undefined, READ_TOKEN)).status, 200);
}

const lastRefusal = (gateway: TestGateway) =>
  gateway.log.filter(({ msg }) => msg.startsWith('reload refused')).at(-1);

/** What stands where the file was → what the one line says of it. */
const UNREADABLE: Readonly<Record<string, readonly [(path: string) => Promise<unknown>, RegExp]>> = {
  'a symbolic link into nothing': [(path) => symlink('..data/gone', path), /does not exist$/],
  'a symbolic link to itself': [(path) => symlink(path, path), /is a symbolic link that leads to itself$/],
  'a pipe that nobody writes into': [async (path) => execFileSync('mkfifo', [path]), /is no regular file$/],
  'a device': [(path) => symlink('/dev/zero', path), /is no regular file$/],
  'a directory': [(path) => mkdir(path), /is a directory$/],
};

describe('a file that cannot be read keeps the last good state, and the next good one is taken:', () => {
  for (const [what, [put, says]] of Object.entries(UNREADABLE)) {
    it(what, { timeout: 30_000 }, async (t) => {
      const gateway = await start(t);
      for (const [name, begin] of Object.entries(FILES)) {
        const path = join(gateway.directory, name);
        const away = join(gateway.directory, 'away');
        await rename(path, away);
        await put(path);
        const passedOver = what === 'a directory' && name.startsWith('crls/');
        assert.equal(await gateway.gateway.reload('SIGHUP'), passedOver, name);
        if (passedOver) {
          assert.ok(gateway.log.some(({ level, msg }) => level === 'warn' && /in CRL_DIR no more/.test(msg)));
        } else {
          const reason = String(lastRefusal(gateway)?.['reason']);
          assert.ok(reason.startsWith(begin), `${name}: ${reason}`);
          assert.match(reason, says);
          if (!name.startsWith('crls/')) assert.ok(reason.includes(path), reason);
        }
        await standsFirm(gateway);
        await rm(path, { recursive: true });
        await rename(away, path);
        assert.equal(await gateway.gateway.reload('SIGHUP'), true, name);
        const line = gateway.log.findLast(({ msg }) => msg.startsWith('reloaded'));
        assert.equal(line?.['after_refusal'], passedOver ? undefined : true, name);
      }
    });
  }

  it('several files, which one line names together', async (t) => {
    const gateway = await start(t);
    const files = ['read-tokens', 'server.crt'].map((name) => join(gateway.directory, name));
    for (const path of files) await rename(path, `${path}.away`);
    assert.equal(await gateway.gateway.reload('SIGHUP'), false);
    assert.equal(
      lastRefusal(gateway)?.['reason'],
      `TLS_CERT_FILE: ${files[1]} does not exist; AUTH_TOKEN_FILE: ${files[0]} does not exist`,
    );
    await standsFirm(gateway);
  });

  it('a file without the permission', async (t) => {
    const gateway = await start(t);
    for (const [name, begin] of Object.entries(FILES)) {
      const path = join(gateway.directory, name);
      let taken: boolean | undefined;
      const ran = await withoutPermission(gateway.directory, path, async () => {
        taken = await gateway.gateway.reload('SIGHUP');
      });
      if (!ran) {
        t.skip('runs as a root that cannot become anybody else, and file modes do not hold root');
        return;
      }
      assert.equal(taken, false, name);
      const reason = String(lastRefusal(gateway)?.['reason']);
      assert.ok(reason.startsWith(begin), reason);
      assert.match(reason, /may not be read by this user$/);
      await standsFirm(gateway);
      assert.equal(await gateway.gateway.reload('SIGHUP'), true, name);
    }
  });

  it('a directory of CRLs that is gone, that cannot be listed, or that is a file', async (t) => {
    const gateway = await start(t);
    const path = join(gateway.directory, 'crls');
    const away = join(gateway.directory, 'away');
    await rename(path, away);
    assert.equal(await gateway.gateway.reload('SIGHUP'), false);
    assert.match(String(lastRefusal(gateway)?.['reason']), /^CRL_DIR: \/.*crls cannot be listed \(ENOENT\)$/);
    await standsFirm(gateway);
    await writeFile(path, crl);
    assert.equal(await gateway.gateway.reload('SIGHUP'), false);
    assert.match(String(lastRefusal(gateway)?.['reason']), /cannot be listed \(ENOTDIR\)$/);
    await standsFirm(gateway);
    await rm(path);
    await rename(away, path);
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    assert.equal(await readFile(join(path, 'issuing.crl'), 'utf8'), crl);
  });
});
