import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';

interface Finding {
  readonly verdict: 'ok' | 'note' | 'wrong';
  readonly what: string;
}

const wrongOf = (stdout: string): readonly string[] =>
  (JSON.parse(stdout) as Finding[]).filter(({ verdict }) => verdict === 'wrong').map(({ what }) => what);

describe('doctor', () => {
  it('finds nothing wrong with a way that works, and each thing that is wrong with one that does not', async (t) => {
    const line = await startCommandLine(t);
    const { directory, gateway, environment } = line;
    const well = await line.run(['doctor']);
    assert.deepEqual([well.code, well.stderr], [0, '']);
    for (const said of [
      'you may read the fleet: 3 clusters',
      'the gateway is ready',
      'TLSv1.3',
      'is kept from others',
    ]) {
      assert.ok(well.stdout.includes(said), said);
    }
    assert.doesNotMatch(well.stdout, /✗/);
    assert.deepEqual(
      gateway.log.filter(({ level }) => level !== 'info').map(({ msg, reason }) => [msg, reason]),
      [],
      'its visit is no fault in the log',
    );

    const soon = {
      notBefore: new Date(Date.now() - 90 * 86_400_000),
      notAfter: new Date(Date.now() - 86_400_000),
    };
    const late = await gateway.pki.operator('late@example.com', [], {
      ...soon,
      extendedKeyUsage: ['serverAuth'],
    });
    const key = join(directory, 'late.key');
    await writeFile(join(directory, 'late.crt'), late.chainPem);
    await writeFile(key, late.keyPem);
    await chmod(key, 0o644);
    const ill = await line.run(['doctor', '-o', 'json', '--cert', join(directory, 'late.crt'), '--key', key]);
    assert.equal(ill.code, 1);
    const found = wrongOf(ill.stdout).join('\n');
    for (const said of [
      /has expired/,
      /not for client authentication/,
      /everybody on this machine can read .*late\.key/,
      /certificate_rejected \(HTTP 495\)/,
    ]) {
      assert.match(found, said);
    }
    const swapped = await line.run(['doctor', '-o', 'json', '--key', key]);
    assert.match(wrongOf(swapped.stdout).join('\n'), /--key is not the key of --cert/);
    const away = await line.run(['doctor', '-o', 'json', '--url', 'https://localhost:1']);
    assert.deepEqual(
      wrongOf(away.stdout).map((what) => /nobody listens there/.test(what)),
      [true],
    );
    const cluster = await gateway.pki.cluster('demo-cluster-01.k8s.example.com');
    const clusterKey = join(directory, 'cluster.key');
    await writeFile(join(directory, 'cluster.crt'), cluster.chainPem);
    await writeFile(clusterKey, cluster.keyPem, { mode: 0o600 });
    const other = await line.run(['doctor', '--cert', join(directory, 'cluster.crt'), '--key', clusterKey]);
    assert.match(
      other.stdout,
      /^✗ forbidden \(HTTP 403\): .*\n {4}→ this credential may not do that.*request_id/m,
      'one line for what is wrong, one for what to do',
    );
    await writeFile(join(gateway.directory, 'cluster-ca.crt'), '-----BEGIN CERTIFICATE-----\n');
    assert.equal(await gateway.gateway.reload('SIGHUP'), false);
    const unheard = await line.run(['doctor']);
    assert.equal(unheard.code, 0);
    assert.match(
      unheard.stdout,
      /^! the gateway is ready, but its last reload was refused: the last good state serves, .*\n {4}→ its log/m,
    );
    const nothing = await line.run(['doctor'], { API_URL: '', API_CERT_FILE: '' });
    assert.deepEqual([nothing.code, /there is nothing to look at/.test(nothing.stderr)], [1, true]);
    assert.ok(environment['API_URL']);
  });

  it('finds what would keep serve from starting, without starting it', async (t) => {
    const line = await startCommandLine(t);
    const { directory, gateway } = line;
    const files = await gateway.pki.write(join(directory, 'server'));
    const good = {
      ...files.environment,
      API_URL: '',
      API_CERT_FILE: '',
      DATABASE_URL: `sqlite://${directory}/other.db`,
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: 'off',
      AUTH_TOKEN: 'a-token-that-is-not-shown-0004',
    };
    const well = await line.run(['doctor', '--server', '-o', 'json'], good);
    assert.deepEqual([well.code, wrongOf(well.stdout)], [0, []], well.stdout);
    assert.match(well.stdout, /localhost is 127\.0\.0\.1|localhost is ::1/);
    assert.doesNotMatch(well.stdout, /a-token-that-is-not-shown/);

    const weak = await line.run(['doctor', '--server', '-o', 'json'], {
      ...good,
      AUTH_TOKEN: 'fifteen-letters',
    });
    assert.deepEqual(wrongOf(weak.stdout), []);
    assert.match(weak.stdout, /AUTH_TOKEN: a token of fewer than 16 characters can be guessed/);
    assert.doesNotMatch(weak.stdout, /fifteen-letters/);
    assert.doesNotMatch(well.stdout, /can be guessed/);

    const unknown = await line.run(['doctor', '--server', '-o', 'json'], {
      ...good,
      API_MODE: 'ful',
      FLUXGATE_X: '1',
    });
    assert.equal(wrongOf(unknown.stdout).length, 2);
    await chmod(files.environment.TLS_KEY_FILE, 0o644);
    const ill = await line.run(['doctor', '--server', '-o', 'json'], {
      ...good,
      CLUSTER_CA_FILE: '/nowhere/ca.crt',
      DATABASE_URL: 'sqlite:///nowhere/fleet.db',
      LISTEN_ADDR: `127.0.0.1:${gateway.port}`,
      ADMIN_ADDR: '192.0.2.1:9090',
    });
    assert.equal(ill.code, 1);
    const found = wrongOf(ill.stdout).join('\n');
    for (const said of [
      /CLUSTER_CA_FILE: \/nowhere\/ca\.crt/,
      /TLS_KEY_FILE: everybody/,
      /DATABASE_URL: \/nowhere/,
      /ADMIN_ADDR: 192\.0\.2\.1:9090 cannot be listened on/,
    ]) {
      assert.match(found, said);
    }
    assert.match(ill.stdout, /LISTEN_ADDR: 127\.0\.0\.1:\d+ is taken/);
  });
});
