import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';
import { READ_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { freePort } from '../support/spawned.ts';

describe('what fails', () => {
  it('has an exit code of its own, and says what it means and what to do', async (t) => {
    const line = await startCommandLine(t, { pki: await createTestPki({ serverNames: ['localhost'] }) });
    const { pki, port } = line.gateway;
    const put = async (name: string, text: string): Promise<string> => {
      const path = join(line.directory, name);
      await writeFile(path, text, { mode: 0o600 });
      return path;
    };
    const stranger = await pki.operator('nobody@example.com', [], { issuer: pki.clusterRoot });
    const viewer = await pki.operator('viewer@example.com', ['fluxgate:viewer']);
    const as = async (name: string, { chainPem, keyPem }: typeof viewer): Promise<readonly string[]> => [
      '--cert',
      await put(`${name}.crt`, chainPem),
      '--key',
      await put(`${name}.key`, keyPem),
    ];
    const list = ['cluster', 'list'];
    const thief = '--cluster-name Thief --environment dev --node-count 1'.split(' ');
    const exported = join(line.directory, 'exported');
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [
        [...list, '--url', `https://localhost:${await freePort()}`],
        69,
        /nobody listens there\. Is the gateway running/,
      ],
      [[...list, '--url', 'https://no-such-host.invalid'], 69, /is not found in DNS/],
      [[...list, '--url', `https://127.0.0.1:${port}`], 69, /for other names than the one in --url/],
      [
        [...list, '--ca', await put('other.pem', pki.operatorRoot.pem)],
        69,
        /under no CA that is trusted here: name its CA with --ca FILE/,
      ],
      [[...list, '--ca', '/dev/null'], 78, /holds no certificate/],
      [[...list, '--cert', '/nowhere/op.crt'], 78, /^fluxgate: --cert: \/nowhere\/op\.crt does not exist$/m],
      [[...list, '--url', 'http://localhost:1'], 78, /http:\/\/ of the flags: credentials go over TLS only/],
      [
        [...list, '--token-file', await put('unknown', 'unknown-token\n')],
        3,
        /HTTP 401.*\n→ the token is unknown, expired or revoked/,
      ],
      [
        [...list, '--token-file', await put('reader', READ_TOKEN)],
        3,
        /HTTP 403.*\n→ this credential may not do that/,
      ],
      [
        [...list, ...(await as('stranger', stranger))],
        3,
        /HTTP 495.*\n→ the operator certificate is not accepted/,
      ],
      [
        ['cluster', 'patch', 'demo-cluster-01', '-p', '{"node_count": 4}', ...(await as('viewer', viewer))],
        3,
        /trust explain --request-id [0-9a-f]{24}/,
      ],
      [['cluster', 'get', 'nowhere'], 4, /HTTP 404.*\n→ check the name \(fluxgate cluster list\)/],
      [['namespace', 'get', 'no_name'], 8, /→ correct what is named, and send it again$/m],
      [
        ['namespace', 'create', 'podinfo'],
        5,
        /HTTP 409[\s\S]*→ somebody or something was there first: look at it \(fluxgate namespace get podinfo\)/,
      ],
      [
        ['namespace', 'delete', 'podinfo'],
        5,
        /in_use[\s\S]*→ take it away from who uses it first \(fluxgate namespace unassign podinfo --cluster NAME\), or delete it with --detach/,
      ],
      [
        ['import', '--dir', exported, '--mode', 'authoritative', '--yes'],
        5,
        /in_use[\s\S]*→ take it away from who uses it first$/m,
      ],
      [
        [
          'manifests',
          '--gateway',
          'https://gw.example.com',
          '--file',
          await put('two.yaml', 'a: 1\n---\nb: 2\n'),
        ],
        78,
        /^fluxgate: --file: \S+two\.yaml: holds several documents: give one cluster's/m,
      ],
      [
        ['cluster', 'patch', 'demo-cluster-01', '-p', '{"node_count": 4}', '--if-match', '"old"'],
        5,
        /HTTP 412[\s\S]*read it again/,
      ],
      [
        ['cluster', 'patch', 'demo-cluster-01', '-p', '{"node_count": "x"}'],
        8,
        /\/node_count: .*\n→ correct what is named, and send it again; nothing was written/,
      ],
      [['cluster', 'patch', 'demo-cluster-01', '-p', '{"node_count": '], 78, /--patch, line 1/],
      [
        ['cluster', 'delete', 'demo-cluster-01'],
        6,
        /nothing was written[\s\S]*--yes --plan-hash [0-9a-f]{64}/,
      ],
      [
        ['component', 'disable', 'podinfo'],
        78,
        /say which clusters: --cluster ID, --environment NAME or --selector/,
      ],
      ...['set-version', 'enable', 'disable', 'unassign'].map(
        (verb) =>
          [
            [
              'component',
              verb,
              'podinof',
              ...(verb === 'set-version' ? ['1'] : []),
              '--cluster',
              'demo-cluster-01',
            ],
            4,
            /the catalogue has no component podinof; is podinfo meant\? \(fluxgate component list\)/,
          ] as const,
      ),
      [
        ['rolebinding', 'unassign', 'podinof', '--cluster', 'demo-cluster-01'],
        4,
        /the catalogue has no rolebinding podinof/,
      ],
      [
        ['component', 'enable', 'sandbox', '--environment', 'prod', '--yes'],
        4,
        /no selected cluster is assigned sandbox \(fluxgate component assign sandbox …\)/,
      ],
      [
        ['audit', 'tail', '--since', 'yesterday'],
        78,
        /neither a time, such as .* nor a duration, such as 1h/,
      ],
      [
        ['import', '--dir', '/does/not/exist', '--mode', 'merge'],
        78,
        /^fluxgate: \/does\/not\/exist: there is no such directory$/m,
      ],
      [
        ['cluster', 'create', 'thief', '--cluster-dns', 'demo-cluster-01.k8s.example.com', ...thief],
        5,
        /HTTP 409[\s\S]*look at it \(fluxgate cluster get demo-cluster-01\)/,
      ],
      [
        ['revoke', 'lift', 'demo-cluster-01'],
        4,
        /is no id: name it by its id, rev-… \(fluxgate revoke list\)/,
      ],
      [['token', 'revoke', 'alex'], 4, /is no id: name it by its id, tok-… \(fluxgate token list\)/],
      [
        ['cluster', 'apply', '-f', await put('broken.yaml', 'id: "x\n')],
        78,
        /broken\.yaml, line \d+: Missing closing "quote$/m,
      ],
      [['clutser', 'list'], 2, /unknown command 'clutser'[\s\S]*Did you mean cluster/],
      [['diff', 'trust', 'list'], 2, /Usage: fluxgate diff/],
    ];
    const sandbox = [
      '--component-path',
      'x',
      '--component-version',
      '1',
      '--oci-url',
      'oci://x.example',
      '--oci-tag',
      '1',
    ];
    assert.equal((await line.run(['component', 'create', 'sandbox', ...sandbox])).code, 0);
    assert.equal((await line.run(['export', '--dir', exported])).code, 0);
    rmSync(join(exported, 'namespaces', 'podinfo.yaml'));
    const elsewhere = await line.run(list, { API_CA_FILE: 'not-there.crt' });
    assert.match(
      elsewhere.stderr,
      /^fluxgate: --ca \(the environment\): \/\S+\/not-there\.crt does not exist$/m,
    );
    const none = await line.run(['fleet', 'status', '--environment', 'uat']);
    assert.match(none.stderr, /^no cluster has the environment uat: fluxgate fleet status has all$/m);
    for (const [args, code, says] of cases) {
      const ended = await line.run(args);
      assert.deepEqual(
        [ended.code, says.test(ended.stderr)],
        [code, true],
        `${args.join(' ')}: ${ended.code} ${ended.stderr}`,
      );
      assert.doesNotMatch(ended.stderr, /\n\s+at /, 'no stack');
    }
  });

  it('tells a gateway that is read-only, and one that wants to know which version is changed', async (t) => {
    const readOnly = await startCommandLine(t, { environment: { API_MODE: 'read-only' } });
    const gone = await readOnly.run(['cluster', 'list']);
    assert.deepEqual(
      [gone.code, /In read-only mode \(API_MODE\) the operator routes are not there/.test(gone.stderr)],
      [4, true],
    );
    const refused = await readOnly.run(['namespace', 'create', 'x']);
    assert.deepEqual([refused.code, /this gateway is read-only/.test(refused.stderr)], [8, true]);
    const strict = await startCommandLine(t, { environment: { REQUIRE_IF_MATCH: 'on' } });
    const blind = await strict.run(['cluster', 'patch', 'demo-cluster-01', '-p', '{"node_count": 4}']);
    assert.deepEqual([blind.code, /--if-match with the ETag that get prints/.test(blind.stderr)], [5, true]);
    const shown = await strict.run(['cluster', 'get', 'demo-cluster-01']);
    const etag = /^# etag: (".*")$/m.exec(shown.stdout)?.[1] ?? '';
    const seeing = await strict.run([
      'cluster',
      'patch',
      'demo-cluster-01',
      '-p',
      '{"node_count": 4}',
      '--if-match',
      etag,
    ]);
    assert.equal(seeing.code, 0, seeing.stderr);
    const applied = await strict.fed(
      ['cluster', 'apply', '-f', '-'],
      'id: demo-cluster-01\nnode_count: 5\n---\nid: demo-cluster-02\nnode_count: 6\n',
    );
    assert.equal(applied.stdout, 'cluster/demo-cluster-01 changed\ncluster/demo-cluster-02 changed\n');
  });

  it('on this machine as well: a taken port, a backup to nowhere, tables that are not there, a head without a signature', async (t) => {
    const line = await startCommandLine(t);
    const { port, directory } = { port: line.gateway.port, directory: line.directory };
    const database = `sqlite://${directory}/fleet.db`;
    const nowhere = await line.run([
      'backup',
      '--database',
      database,
      '--to',
      join(directory, 'no/such/b.db'),
    ]);
    assert.deepEqual(
      [nowhere.code, /there is no directory .*\/no\/such: make it first/.test(nowhere.stderr)],
      [78, true],
    );
    const there = await line.run(['backup', '--database', database, '--to', directory]);
    assert.match(there.stderr, /is a directory: name a file in it/);
    const copied = await line.run(['backup', '--database', database, '--to', join(directory, 'b.db')]);
    assert.deepEqual([copied.code, copied.stderr], [0, '']);
    const again = await line.run(['backup', '--database', database, '--to', join(directory, 'b.db')]);
    assert.deepEqual([again.code, /never overwrites/.test(again.stderr)], [78, true]);

    const head = await line.run(['audit', 'head']);
    await writeFile(join(directory, 'head.json'), head.stdout);
    await writeFile(join(directory, 'audit.pub'), publicKey());
    const verify = ['audit', 'verify', '--database', database, '--head', join(directory, 'head.json')];
    assert.equal((await line.run(verify)).code, 0);
    const unsigned = await line.run([...verify, '--key', join(directory, 'audit.pub')]);
    assert.deepEqual(
      [unsigned.code, /has no signature: .* without AUDIT_SIGNING_KEY_FILE/.test(unsigned.stderr)],
      [1, true],
    );

    const policies = join(directory, 'policies');
    cpSync(join(import.meta.dirname, '../../policy'), policies, { recursive: true });
    rmSync(join(policies, 'tests'), { recursive: true });
    const untested = await line.run(['policy', 'test', policies]);
    assert.deepEqual(
      [
        untested.code,
        /To begin with the ones that are shipped: cp -r .*policy\/tests /.test(untested.stderr),
      ],
      [1, true],
    );

    const files = await line.gateway.pki.write(join(directory, 'again'));
    const taken = await line.run(['serve'], {
      ...files.environment,
      SANDBOX: 'off',
      DATABASE_URL: 'sqlite::memory:',
      LISTEN_ADDR: `127.0.0.1:${port}`,
      ADMIN_ADDR: 'off',
    });
    assert.deepEqual(
      [
        taken.code,
        /EADDRINUSE\): something else does already\. Name another port \(LISTEN_ADDR=/.test(taken.stderr),
      ],
      [78, true],
      taken.stderr,
    );
  });
});

function publicKey(): string {
  return generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
