import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';
import { crlOf } from '../support/crls.ts';
import { createTestPki } from '../support/pki.ts';

test('the doctor misses the CRL of a CA that had one, beside the gateway and after its end', async (t) => {
  const pki = await createTestPki();
  const line = await startCommandLine(t, {
    pki,
    prepare: async (directory) => {
      await mkdir(join(directory, 'crl'));
      await writeFile(join(directory, 'crl', 'issuing.crl'), await crlOf(pki.clusterIntermediate));
      return { CRL_DIR: join(directory, 'crl') };
    },
  });
  const { directory, gateway } = line;
  const environment = {
    ...(await pki.write(join(directory, 'server'))).environment,
    API_URL: '',
    API_CERT_FILE: '',
    DATABASE_URL: `sqlite://${directory}/fleet.db`,
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: 'off',
    AUTH_TOKEN: 'a-token-that-is-not-shown-0005',
  };
  const CRL_DIR = join(directory, 'crl');
  const wrongOf = async (more: Readonly<Record<string, string>>): Promise<string> => {
    const { stdout, code } = await line.run(['doctor', '--server', '-o', 'json'], {
      ...environment,
      ...more,
    });
    const found = JSON.parse(stdout) as readonly { readonly verdict: string; readonly what: string }[];
    const wrong = found.flatMap(({ verdict, what }) => (verdict === 'wrong' ? [what] : []));
    assert.equal(code, wrong.length === 0 ? 0 : 1);
    return wrong.join('\n');
  };
  assert.equal(await wrongOf({ CRL_DIR }), '');
  assert.match(await wrongOf({}), /^CRL_DIR is not set, and 1 CA had CRLs: .* let in$/);

  await rm(join(directory, 'crl', 'issuing.crl'));
  const missed =
    /^CRL_DIR: there is no CRL of "CN=test cluster intermediate", which had one before: every .*$/;
  assert.match(await wrongOf({ CRL_DIR }), missed);
  await gateway.gateway.close();
  assert.match(await wrongOf({ CRL_DIR }), missed);
  await writeFile(join(directory, 'crl', 'issuing.crl'), await crlOf(pki.clusterIntermediate));
  assert.equal(await wrongOf({ CRL_DIR }), '');

  const noStore = 'these octets are no store, however many of them there are'.repeat(100);
  await writeFile(join(directory, 'no-store'), noStore, { mode: 0o600 });
  const unread = await wrongOf({ CRL_DIR, DATABASE_URL: `sqlite://${directory}/no-store` });
  assert.match(unread, /^DATABASE_URL: .*no-store: file is not a database$/);
});
