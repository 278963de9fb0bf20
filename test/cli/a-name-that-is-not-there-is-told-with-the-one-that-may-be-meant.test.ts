import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';
import { fluxgate } from '../support/spawned.ts';

const DNS = 'demo-cluster-01.k8s.example.com';

describe('a name that is not there', () => {
  it('is told with the one that may be meant, by whatever command, and nothing is done', async (t) => {
    const line = await startCommandLine(t);
    const before = await line.gateway.fleet();
    const cluster = /is demo-cluster-01 meant\?/;
    const reason = ['--reason', 'x'];
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['cluster', 'get', 'demo-clsuter-01'], 4, /→ is demo-cluster-01 meant\? \(fluxgate cluster list\)/],
      [['cluster', 'get', 'Demo-cluster-01'], 8, cluster],
      [['cluster', 'get', 'demo-cluster-01.k8s.exmaple.com'], 8, cluster],
      [['cluster', 'rendered', 'demo-clsuter-01'], 4, cluster],
      [['cluster', 'delete', DNS], 8, cluster],
      [['cluster', 'set-state', 'demo-clsuter-01', 'frozen', ...reason], 4, cluster],
      [['manifests', '--cluster', 'demo-clsuter-01'], 4, cluster],
      [['fleet', 'status', 'demo-clsuter-01'], 4, cluster],
      [['trust', 'show', 'demo-clsuter-01'], 4, cluster],
      [
        ['revoke', '--cluster', 'demo-clsuter-01', ...reason],
        4,
        /fleet: demo-clsuter-01; is demo-cluster-01 meant\? Nothing was revoked/,
      ],
      [['component', 'get', 'podinof'], 4, /→ is podinfo meant\? \(fluxgate component list\)/],
      [['component', 'edit', 'podinof'], 4, /→ is podinfo meant\? \(fluxgate component list\)/],
      [['namespace', 'patch', 'podinof', '-p', '{}'], 4, /→ is podinfo meant\? \(fluxgate namespace list\)/],
      [['rolebinding', 'get', 'podinof'], 4, /→ check the name \(fluxgate rolebinding list\)/],
    ];
    for (const [args, code, says] of cases) {
      const slip = await line.run(args);
      assert.deepEqual([slip.code, slip.stdout], [code, ''], `${args.join(' ')}: ${slip.stderr}`);
      assert.match(slip.stderr, says, args.join(' '));
    }
    const far = await line.run(['revoke', '--cluster', 'quite-another', ...reason]);
    assert.match(far.stderr, /fleet: quite-another\. Nothing was revoked/);
    assert.equal((await line.run(['revoke', 'list'])).stdout, '');
    assert.equal(await line.gateway.fleet(), before);
  });

  it('is one where a cluster is read by its DNS name', async (t) => {
    const line = await startCommandLine(t);
    for (const verb of ['get', 'rendered']) {
      const byDns = await line.run(['cluster', verb, DNS]);
      const byId = await line.run(['cluster', verb, 'demo-cluster-01']);
      assert.deepEqual([byDns.code, byDns.stderr], [0, ''], verb);
      assert.equal(byDns.stdout, byId.stdout);
    }
  });

  it('is told of fields as well, those of an assignment included', async (t) => {
    const line = await startCommandLine(t);
    const patch = (body: object) =>
      line.run(['cluster', 'patch', 'demo-cluster-01', '-p', JSON.stringify(body)]);
    const own = await patch({ node_cuont: 4 });
    assert.match(own.stderr, /^ {2}\/node_cuont: is not a known field; is node_count meant\?$/m);
    const assigned = await patch({ platform_components: [{ id: 'podinfo', enabled: true, oci_tga: 'v1' }] });
    assert.match(assigned.stderr, /\/0\/oci_tga: is not a known field; is oci_tag meant\?$/m);
  });

  it('is told before the gateway is asked, where it is one of a few', async (t) => {
    for (const [args, says] of [
      [
        ['audit', 'tail', '--event', 'tokn_made'],
        /is invalid\. Did you mean token_made\? Allowed choices are /,
      ],
      [['cluster', 'list', '--environment', 'prd'], /is invalid\. Did you mean prod\? Allowed choices are /],
      [
        ['cluster', 'list', '--environment', 'nowhere'],
        /is invalid\. Allowed choices are dev, qa, uat, prod\./,
      ],
    ] as const) {
      const slip = await fluxgate(t, args).ended;
      assert.deepEqual([slip.code, slip.stdout], [2, ''], args.join(' '));
      assert.match(slip.stderr, says);
    }
  });

  it('has no help: asking for it is a slip, and not an answer about something else', async (t) => {
    for (const [args, meant] of [
      [['help', 'clustre'], 'cluster'],
      [['clustre', '--help'], 'cluster'],
      [['help', 'cluster', 'lsit'], 'list'],
      [['revoke', 'lsit'], 'list'],
      [['revoke', 'lsit', '--help'], 'list'],
    ] as const) {
      const slip = await fluxgate(t, args).ended;
      assert.deepEqual([slip.code, slip.stdout], [2, ''], args.join(' '));
      assert.match(slip.stderr, /^error: unknown command '/, args.join(' '));
      assert.match(slip.stderr, new RegExp(`^\\(Did you mean ${meant}\\?\\)$`, 'm'));
    }
    for (const [args, usage] of [
      [['help'], 'fluxgate [options]'],
      [['help', 'clusters'], 'fluxgate cluster|clusters '],
      [['help', 'revoke', 'list'], 'fluxgate revoke list'],
      [['cluster', 'help'], 'fluxgate cluster|clusters '],
      [['help', 'plan', 'namespace', 'unassign'], 'fluxgate namespace unassign'],
    ] as const) {
      const help = await fluxgate(t, args).ended;
      assert.deepEqual([help.code, help.stderr], [0, ''], args.join(' '));
      assert.ok(help.stdout.includes(`Usage: ${usage}`), help.stdout);
    }
  });
});
