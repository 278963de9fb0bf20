import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LAUNCHER, startCommandLine } from '../support/command-line.ts';
import { spawned } from '../support/spawned.ts';
import { until } from '../support/until.ts';

describe('audit tail', () => {
  it('says of a misspelt name that it is nobody’s, with the one that may be meant, instead of waiting for it', async (t) => {
    const line = await startCommandLine(t);
    const made = await line.run(['token', 'create', 'ci', '--kind', 'reader', '--ttl', '1h', '-o', 'json']);
    const { id: token } = JSON.parse(made.stdout) as { readonly id: string };
    const slips: readonly (readonly [readonly string[], RegExp])[] = [
      [
        ['--object', 'cluster/demo-clsuter-01'],
        /^fluxgate: no entry is about cluster\/demo-clsuter-01, and nothing of that name is there; is cluster\/demo-cluster-01 meant\? \(fluxgate cluster list\)$/m,
      ],
      [['--object', 'cluster/demo-cluster-01.k8s.example.com'], /; is cluster\/demo-cluster-01 meant\?/],
      [
        ['--object', 'cluster_dns/demo-cluster-01.k8s.exmaple.com'],
        /; is cluster_dns\/demo-cluster-01\.k8s\.example\.com meant\?/,
      ],
      [['--object', 'cluster/quite-another'], /nothing of that name is there \(fluxgate cluster list\)$/m],
      [
        ['--object', 'component/podinof'],
        /; is platform_component\/podinfo meant\? \(fluxgate component list\)/,
      ],
      [
        ['--object', `token/${token.slice(0, -1)}`],
        new RegExp(`; is token/${token} meant\\? \\(fluxgate token list\\)`),
      ],
      [
        ['--object', 'revocation/rev-0123456789abcdef'],
        /nothing of that name is there \(fluxgate revoke list\)/,
      ],
      [['--object', `plan/${'0'.repeat(64)}`], /nothing of that name is there \(fluxgate plan list\)/],
      [
        ['--object', 'clustre/demo-cluster-01'],
        /^fluxgate: clustre is no kind of object; is cluster meant\? \(cluster, platform_component, /m,
      ],
      [
        ['--operation', 'patchClutser'],
        /^fluxgate: there is no operation patchClutser; is patchCluster meant\? \(openapi\.yaml: operationId\)$/m,
      ],
      [['--operation', 'frobnicate'], /^fluxgate: there is no operation frobnicate \(openapi/m],
    ];
    for (const [words, says] of slips) {
      const slip = await line.run(['audit', 'tail', '--follow', ...words]);
      assert.deepEqual([slip.code, slip.stdout], [4, ''], `${words.join(' ')}: ${slip.stderr}`);
      assert.match(slip.stderr, says, words.join(' '));
      assert.doesNotMatch(slip.stderr, /\n./, 'one line');
    }
    const glance = await line.run(['audit', 'tail', '--object', 'cluster/demo-clsuter-01']);
    assert.equal(glance.code, 4, glance.stderr);
  });

  it('says at once, before it asks, of what can be nobody and no request that it is none', async (t) => {
    const line = await startCommandLine(t);
    for (const [words, says] of [
      [
        ['--principal', 'sam@example.com'],
        /is invalid\. Did you mean operator:sam@example\.com\? It is KIND:NAME/,
      ],
      [['--principal', 'cluster:Demo_01'], /is invalid\. A cluster has its DNS name there/],
      [['--request-id', 'ABC'], /is invalid\. It is 24 hexadecimal digits in lower case/],
    ] as const) {
      const slip = await line.run(['audit', 'tail', '--follow', ...words]);
      assert.deepEqual([slip.code, slip.stdout], [2, ''], `${words.join(' ')}: ${slip.stderr}`);
      assert.match(slip.stderr.split('\n')[0] ?? '', says);
    }
    assert.ok(line.gateway.log.every(({ operation }) => operation === undefined));
    for (const words of [
      ['--principal', 'operator:nobody@example.com'],
      ['--request-id', '0'.repeat(24)],
    ]) {
      const none = await line.run(['audit', 'tail', ...words]);
      assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', ''], words.join(' '));
    }
  });

  it('waits for what is there and has no entry yet, and prints that entry when it comes', async (t) => {
    const line = await startCommandLine(t);
    const looks = () => line.gateway.log.filter(({ operation }) => operation === 'listAudit').length;
    for (const [words, write] of [
      [
        ['--object', 'component/podinfo'],
        ['component', 'patch', 'podinfo', '-p', '{"oci_tag": "6.9.9"}'],
      ],
      [
        ['--operation', 'createNamespace'],
        ['namespace', 'create', 'waited-for'],
      ],
      [
        ['--object', 'cluster/demo-cluster-02', '--operation', 'patchCluster'],
        ['cluster', 'patch', 'demo-cluster-02', '-p', '{"node_count": 9}'],
      ],
    ] as const) {
      const before = looks();
      const following = spawned(t, [LAUNCHER, 'audit', 'tail', '--follow', ...words], {
        environment: line.environment,
      });
      // The first look, one for each name, and one that waits: what comes now was not there before.
      await Promise.race([until(() => looks() >= before + 2 + words.length / 2), following.ended]);
      const wrote = await line.run(write);
      assert.equal(wrote.code, 0, wrote.stderr);
      await following.said('fleet_changed');
      following.child.kill('SIGINT');
      await following.ended;
    }
  });

  it('finds nothing, and says nothing against the name, where an entry of it is left out by another filter', async (t) => {
    const line = await startCommandLine(t);
    assert.equal((await line.run(['namespace', 'create', 'short-lived'])).code, 0);
    assert.equal((await line.run(['namespace', 'delete', 'short-lived', '--yes'])).code, 0);
    const gone = ['audit', 'tail', '--object', 'namespace/short-lived'];
    const entries = await line.run(gone);
    assert.equal(entries.stdout.match(/fleet_changed/g)?.length, 2, entries.stderr);
    const none = await line.run([...gone, '--event', 'denied']);
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', '']);
  });
});
