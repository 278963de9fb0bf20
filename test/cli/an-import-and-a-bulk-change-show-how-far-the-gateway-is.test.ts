import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';
import { sampleCluster } from '../support/fleet.ts';
import { NO_TERMINAL } from '../support/terminal.ts';

const CLUSTERS = 6_000;

/** The different bars of the gateway's steps on a screen, by step. */
function bars(screen: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, step = '', done = ''] of screen.matchAll(
    /the gateway (\w+) \[█*·*\] (\d+) of \d+ (?:files|objects|clusters)/g,
  )) {
    found.set(step, (found.get(step) ?? new Set()).add(done));
  }
  return found;
}

const moved = (screen: string): boolean => [...bars(screen).values()].some((amounts) => amounts.size > 1);

describe('an import and a bulk change', { skip: NO_TERMINAL }, () => {
  it('show on a terminal how far the gateway is, as a bar that moves, and nothing where there is none', async (t) => {
    const line = await startCommandLine(t);
    const dir = join(line.directory, 'fleet');
    await mkdir(join(dir, 'clusters'), { recursive: true });
    for (let n = 0; n < CLUSTERS; n++) {
      const cluster = sampleCluster(`made-${String(n).padStart(4, '0')}`, {
        environment: 'qa',
        platform_components: [{ id: 'cert-manager', enabled: true }],
        // So long that the body takes more than one write.
        labels: {
          made: 'here',
          ...Object.fromEntries([1, 2, 3, 4].map((i) => [`pad-${i}`, 'x'.repeat(60)])),
        },
      });
      await writeFile(join(dir, 'clusters', `${cluster.id}.yaml`), JSON.stringify(cluster));
    }
    const importing = ['import', '--dir', dir, '--mode', 'merge', '--yes'];
    const imported = await line.terminal(importing).ended;
    assert.equal(imported.code, 0, imported.stdout.slice(-2_000));
    assert.match(imported.stdout, /sending \[█+·*\] \d+ of \d+ KiB/, 'the body on its way');
    assert.ok(moved(imported.stdout), 'a bar of the gateway moves');
    assert.match(imported.stdout, /imported as revision 2: 6000 objects changed/);

    const version = (tag: string) => [
      'component',
      'set-version',
      'cert-manager',
      tag,
      '--selector',
      'made=here',
    ];
    const asked = line.terminal(version('6.9.9'));
    await asked.shows('Carry this out?');
    assert.ok(bars(asked.screen()).size > 0, 'the plan has a bar');
    asked.type('yes\r');
    const changed = await asked.ended;
    assert.equal(changed.code, 0, changed.stdout.slice(-2_000));
    assert.ok(moved(changed.stdout));

    const quiet = await line.run([...version('6.9.8'), '--yes']);
    assert.deepEqual([quiet.code, quiet.stderr], [0, '']);
    assert.equal(quiet.stdout, 'carried out as revision 4: 6000 objects changed, 6000 clusters affected\n');
    const asks = line.gateway.log.filter(({ operation }) => operation === 'getWriteProgress');
    assert.ok(asks.length > 0 && asks.every(({ status }) => status === 200 || status === 404));
  });
});
