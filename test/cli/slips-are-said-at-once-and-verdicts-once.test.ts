import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';
import { READ_TOKEN } from '../support/gateway.ts';
import { certificateSha256 } from '../support/revocations.ts';

describe('a misspelt component', () => {
  it('is said before anything is planned, with the one that may have been meant, by whatever it was to be changed', async (t) => {
    const line = await startCommandLine(t);
    const before = await line.gateway.fleet();
    const there = ['--cluster', 'demo-cluster-01'];
    for (const words of [
      ['assign', 'podinof', ...there],
      ['patch', 'podinof', '--set', 'replicas=2', ...there],
      ['set-version', 'podinof', '6.0.0', ...there],
    ]) {
      const slip = await line.run(['component', ...words]);
      assert.equal(slip.code, 4, slip.stderr);
      assert.match(slip.stderr, /the catalogue has no component podinof; is podinfo meant\?/);
    }
    const far = await line.run(['namespace', 'assign', 'quite-another', ...there]);
    assert.equal(far.code, 4, far.stderr);
    assert.match(far.stderr, /the catalogue has no namespace quite-another \(fluxgate namespace list\)/);
    assert.equal(await line.gateway.fleet(), before);
    const right = await line.run(['component', 'patch', 'podinfo', '--set', 'replicas=2', ...there]);
    assert.equal(right.code, 0, right.stderr);
  });
});

describe('a misspelt cluster', () => {
  it('is said before anything is planned, with the one that may have been meant', async (t) => {
    const line = await startCommandLine(t);
    const before = await line.gateway.fleet();
    const disable = ['component', 'disable', 'podinfo', '--yes', '--cluster'];
    const slip = await line.run([...disable, 'demo-cluster-01,demo-clsuter-02']);
    assert.equal(slip.code, 4, slip.stderr);
    assert.match(slip.stderr, /the fleet has no cluster demo-clsuter-02; is demo-cluster-02 meant\?/);
    const far = await line.run([...disable, 'quite-another']);
    assert.equal(far.code, 4, far.stderr);
    assert.match(far.stderr, /the fleet has no cluster quite-another \(fluxgate cluster list\)/);
    assert.equal(await line.gateway.fleet(), before);
  });
});

describe('trust explain', () => {
  it('says the verdict once, on top, and the steps in the order in which they were taken', async (t) => {
    const line = await startCommandLine(t);
    // Neither bundle has heard of its issuer.
    const file = join(line.directory, 'foreign.pem');
    await writeFile(file, line.gateway.pki.server.pem);
    const about = ['--path', '/clusters', '--source', '127.0.0.1'];
    const refused = (await line.run(['trust', 'explain', '--chain', file, ...about])).stdout.split('\n');
    assert.match(refused[0] ?? '', /^refused: untrusted, /);
    assert.match(refused[1] ?? '', /^✓ too_large /);
    assert.match(refused[2] ?? '', /^✓ malformed /);
    const text = refused.join('\n');
    assert.equal(text.match(/was issued by/g)?.length, 1, text);
    assert.match(text, /neither CLUSTER_CA_FILE nor OPERATOR_CA_FILE nor the 0 further/);
    assert.match(text, /^GET \/clusters: 495$/m);
    assert.match(text, /^✗ certificate: untrusted, as above$/m);

    const own = line.environment['API_CERT_FILE'] ?? '';
    const accepted = (await line.run(['trust', 'explain', '--chain', own, ...about])).stdout.split('\n');
    assert.match(accepted[0] ?? '', /^accepted_if_openssl_agrees: operator:sam@example\.com$/);
    assert.match(accepted.join('\n'), /^– untrusted \(leaf\)/m, 'the bundle of the other kind');
    assert.doesNotMatch(accepted.join('\n'), /✗/);
    assert.match(accepted.join('\n'), /^GET \/clusters: 200, let in as operator:sam@example\.com/m);
  });
});

describe('the hint of a refusal', () => {
  it('names the flags of a question that is not right, and not the fields of the API', async (t) => {
    const line = await startCommandLine(t);
    const about = ['--path', '/clusters', '--source', '127.0.0.1'];
    const own = line.environment['API_CERT_FILE'] ?? '';
    const garbled = join(line.directory, 'garbled.pem');
    await writeFile(garbled, line.gateway.pki.server.pem.replace(/\n[A-Za-z0-9]/, '\n*'));
    for (const [asked, code, said] of [
      [
        ['--chain', own, '--path', '/clusters'],
        78,
        /^fluxgate: say where .* beside --path: --source ADDRESS$/m,
      ],
      [
        ['--chain', own, '--method', 'PUT'],
        78,
        /^fluxgate: say which request, beside --method: --path PATH$/m,
      ],
      [
        ['--certificate', '0'.repeat(64), '--method', 'PUT', '--source', '127.0.0.1'],
        78,
        /^fluxgate: say which request, beside --method and --source: --path PATH$/m,
      ],
      [['--chain', own, '--path', '/', '--source', '10.0.0'], 8, /^ {2}--source: must be an IP address$/m],
      [['--chain', own, '--path', 'clusters', '--source', '127.0.0.1'], 8, /^ {2}--path: must /m],
      [['--chain', own, ...about, '--method', 'TRACE'], 8, /^ {2}--method: must be one of /m],
      [['--chain', own, '--at', 'noon'], 8, /^ {2}--at: must /m],
      [['--chain', garbled], 8, /^ {2}--chain: the chain: block 1 /m],
      [['--request-id', 'of no form'], 2, /^error: option '--request-id <id>' .* is invalid\. It is 24 /m],
    ] as const) {
      const slip = await line.run(['trust', 'explain', ...asked]);
      assert.equal(slip.code, code, asked.join(' '));
      assert.match(slip.stderr, said);
      assert.doesNotMatch(
        slip.stderr,
        /^ {2}\/|chain_pem|request_id:|certificate_sha256|nothing was written/m,
      );
    }
  });

  it('leads to its reason where no certificate was judged as well', async (t) => {
    const line = await startCommandLine(t);
    const token = join(line.directory, 'reader');
    await writeFile(token, READ_TOKEN, { mode: 0o600 });
    await writeFile(join(line.directory, 'unknown'), 'an-unknown-token', { mode: 0o600 });
    const explained = async (tokenFile: string, status: number): Promise<readonly string[]> => {
      const refused = await line.run(['cluster', 'list', '--token-file', tokenFile]);
      assert.equal(refused.code, 3, refused.stderr);
      const id = /request_id ([0-9a-f]{24})/.exec(refused.stderr)?.[1] ?? '';
      const why = await line.run(['trust', 'explain', '--request-id', id]);
      assert.deepEqual([why.code, why.stderr], [0, '']);
      const document = JSON.parse(
        (await line.run(['trust', 'explain', '--request-id', id, '-o', 'json'])).stdout,
      ) as { readonly status: number };
      assert.equal(document.status, status);
      return why.stdout.split('\n');
    };
    const [verdict = '', reason = ''] = await explained(token, 403);
    assert.equal(verdict, 'refused: forbidden');
    assert.match(reason, /^GET \/clusters from \S+: 403, no policy permits it/);
    assert.match((await explained(join(line.directory, 'unknown'), 401))[1] ?? '', /: 401, /);

    const unknown = await line.run(['trust', 'explain', '--request-id', '0'.repeat(24)]);
    assert.deepEqual([unknown.code, /HTTP 404/.test(unknown.stderr)], [4, true], unknown.stderr);
  });
});

describe('whoever is turned away for their network', () => {
  it('is explained by the certificate that they showed, and in full where it was judged elsewhere', async (t) => {
    const line = await startCommandLine(t, { environment: { OPERATOR_NETWORKS: '127.0.0.1/32' } });
    const { gateway } = line;
    const certificate = await gateway.pki.operator('alex@example.com');
    const ask = async (localAddress: string) =>
      await gateway.send({ path: '/clusters', certificate, localAddress });
    const why = async (refused: Awaited<ReturnType<typeof ask>>): Promise<string> => {
      assert.equal(refused.status, 403);
      const id = String(refused.headers['x-request-id']);
      const explained = await line.run(['trust', 'explain', '--request-id', id]);
      assert.deepEqual([explained.code, explained.stderr], [0, '']);
      return explained.stdout;
    };
    const sha256 = certificateSha256(certificate.pem);
    const short = await why(await ask('127.0.0.9'));
    assert.match(short, /^GET \/clusters from 127\.0\.0\.9: 403, .* is outside OPERATOR_NETWORKS/m);
    assert.match(short, new RegExp(`^it came with the certificate ${sha256}, of which nothing more`, 'm'));

    assert.equal((await ask('127.0.0.1')).status, 200);
    const full = await why(await ask('127.0.0.9'));
    assert.match(full, /^accepted.*: operator:alex@example\.com$/m);
    assert.match(full, /^✗ network: /m);
  });
});

describe('revoke', () => {
  it('knows its own certificate by issuer and serial, and not one of the same serial by another issuer', async (t) => {
    const line = await startCommandLine(t);
    const own = line.environment['API_CERT_FILE'] ?? '';
    const { serialNumber } = new X509Certificate(await readFile(own, 'utf8'));
    const root = new X509Certificate(line.gateway.pki.operatorRoot.pem);
    const revoke = (issuer: string, serial: string, more: Readonly<Record<string, string>> = {}) =>
      line.run(['revoke', '--issuer', issuer, '--serial', serial, '--reason', 'x'], more);
    const careless = await revoke(root.fingerprint256, `00${serialNumber.toLowerCase()}`);
    assert.equal(careless.code, 6, careless.stderr);
    assert.match(careless.stderr, /asks with what it would revoke[\s\S]*--yes revokes it all the same/);
    assert.equal((await line.run(['revoke', 'list'])).stdout, '');
    // Where the chain says who issued it, another issuer's certificate of that serial is another's.
    const whole = join(line.directory, 'whole.crt');
    await writeFile(whole, `${await readFile(own, 'utf8')}\n${line.gateway.pki.operatorRoot.pem}`);
    const stillOwn = await revoke(root.fingerprint256, serialNumber, { API_CERT_FILE: whole });
    assert.equal(stillOwn.code, 6, stillOwn.stderr);
    const others = new X509Certificate(line.gateway.pki.clusterRoot.pem).fingerprint256;
    const another = await revoke(others, serialNumber, { API_CERT_FILE: whole });
    assert.deepEqual([another.code, another.stderr], [0, '']);
    assert.equal((await line.run(['cluster', 'list'])).code, 0);
  });

  it('takes for --until what every other --until takes, and says at once what is over', async (t) => {
    const line = await startCommandLine(t);
    const revoke = (until: string) =>
      line.run(['revoke', '--spki', 'ab'.repeat(32), '--reason', 'x', '--until', until, '-o', 'json']);
    const before = Date.now();
    const hour = await revoke('1h');
    assert.equal(hour.code, 0, hour.stderr);
    const end = Date.parse((JSON.parse(hour.stdout) as { until: string }).until);
    assert.ok(end >= before + 3_600_000 && end <= Date.now() + 3_600_000, hour.stdout);
    const date = await revoke('2999-01-01');
    assert.match(date.stdout, /"until": "2999-01-01T00:00:00\.000Z"/, date.stderr);
    const over = await revoke('2020-01-01');
    assert.equal(over.code, 78, over.stderr);
    assert.match(over.stderr, /--until: 2020-01-01 is over already/);
    assert.equal((JSON.parse((await line.run(['revoke', 'list', '-o', 'json'])).stdout) as []).length, 2);
  });
});
