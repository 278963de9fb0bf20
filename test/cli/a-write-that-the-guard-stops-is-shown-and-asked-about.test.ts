import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type CommandLine, startCommandLine } from '../support/command-line.ts';
import { NO_TERMINAL } from '../support/terminal.ts';

const UNASSIGN = ['namespace', 'unassign', 'podinfo', '--cluster', 'demo-cluster-01'];
const ESCAPE = '\u001b[';

async function editor({ directory }: CommandLine, script: string): Promise<string> {
  const path = join(directory, 'editor');
  await writeFile(path, `#!/bin/sh\nset -e\n${script}\n`);
  await chmod(path, 0o700);
  return path;
}

describe('a write that the guard stops', { skip: NO_TERMINAL }, () => {
  it('is shown as a diff and carried out by a yes alone; without a terminal the command to repeat is told', async (t) => {
    const line = await startCommandLine(t);
    const { gateway } = line;
    const before = await gateway.fleet();

    const refusing = line.terminal(UNASSIGN);
    await refusing.shows('namespaces: 3 → 2 inputs');
    await refusing.shows('- podinfo  removed');
    await refusing.shows('a namespace goes, and with it all that is in it');
    await refusing.shows('Carry this out?');
    refusing.type('y\r');
    const refused = await refusing.ended;
    assert.equal(refused.code, 6);
    assert.match(refused.stdout, /fluxgate: nothing was written/);
    assert.ok(refused.stdout.includes(`${ESCAPE}31m`), 'what goes is red on a terminal');
    assert.equal(await gateway.fleet(), before);

    const plain = line.terminal(UNASSIGN, { environment: { NO_COLOR: '1' } });
    await plain.shows('Carry this out?');
    assert.doesNotMatch(plain.screen(), /\[3[0-9]m/, 'NO_COLOR');
    plain.type('\u0003');
    assert.equal((await plain.ended).code, 6, 'Ctrl-C is no');
    assert.equal(await gateway.fleet(), before);

    // No terminal: nobody is asked, --yes alone confirms nothing, and what is told can be copied as it is.
    const alone = await line.run([...UNASSIGN, '--yes']);
    assert.equal(alone.code, 6);
    assert.ok(!(alone.stdout + alone.stderr).includes(ESCAPE), 'colours are for terminals');
    assert.doesNotMatch(alone.stderr, /Confirm-Plan/, 'no word of an HTTP header');
    const told = /^ {2}fluxgate (namespace unassign .* --yes --plan-hash [0-9a-f]{64})$/m.exec(alone.stderr);
    assert.equal(await gateway.fleet(), before);
    const wrong = await line.run([...UNASSIGN, '--yes', '--plan-hash', '0'.repeat(64)]);
    assert.equal(wrong.code, 6);
    assert.match(wrong.stderr, /not the plan that was confirmed/);
    assert.equal(await gateway.fleet(), before);

    const asking = line.terminal(UNASSIGN);
    await asking.shows('Carry this out?');
    asking.type('yes\r');
    const done = await asking.ended;
    assert.equal(done.code, 0, done.stdout);
    assert.match(done.stdout, /carried out as revision 2/);
    await line.run(['revision', 'revert', 'revision/2', '--yes']);

    const repeated = await line.run((told?.[1] ?? '').split(' '));
    assert.deepEqual([repeated.code, repeated.stderr], [0, '']);

    assert.equal((await line.run(['cluster', 'get', 'namespace/demo-cluster-01'])).code, 8, 'another kind');
    // A selection of clusters is shown before it is carried out, guard or not.
    const selecting = line.terminal(['component', 'set-version', 'podinfo', '6.9.9', '--environment', 'dev']);
    await selecting.shows('/source/oci_tag: "6.9.9"');
    await selecting.shows('Carry this out?');
    selecting.type('yes\r');
    assert.equal((await selecting.ended).code, 0);
    const scripted = ['component', 'set-version', 'podinfo', '6.9.8', '--environment', 'dev'];
    const stopped = await line.run(scripted);
    assert.deepEqual([stopped.code, /--environment dev --yes$/m.test(stopped.stderr)], [6, true]);
    assert.equal((await line.run([...scripted, '--yes'])).code, 0, 'nothing is taken away: --yes is enough');

    // One component of one cluster passes the guard: it is asked about all the same, and goes with --yes alone.
    for (const verb of ['disable', 'unassign']) {
      const one = ['component', verb, 'podinfo', '--cluster', 'demo-cluster-01'];
      const unchanged = await gateway.fleet();
      const asked = line.terminal(one);
      await asked.shows('Carry this out?');
      asked.type('no\r');
      assert.equal((await asked.ended).code, 6);
      const unasked = await line.run(one);
      assert.deepEqual([unasked.code, /demo-cluster-01 --yes$/m.test(unasked.stderr)], [6, true]);
      assert.equal(await gateway.fleet(), unchanged);
      const said = await line.run([...one, '--yes']);
      assert.deepEqual([said.code, said.stderr], [0, '']);
    }
  });

  it('edit opens $EDITOR, shows the plan, opens again what the gateway does not take, and overwrites nobody', async (t) => {
    const line = await startCommandLine(t);
    const edit = ['cluster', 'edit', 'demo-cluster-01'];
    const EDITOR = await editor(
      line,
      // First a value that is refused, and then, where the reason stands on top, one that is not.
      'if grep -q "^#! " "$1"; then sed -i "s/environment: moon/environment: dev/; s/^node_count: .*/node_count: 7/" "$1"; else sed -i "s/environment: dev/environment: moon/" "$1"; fi',
    );
    const editing = line.terminal(edit, { environment: { EDITOR } });
    await editing.shows('/environment: must be one of dev, qa, uat, prod');
    await editing.shows('Edit it again?');
    editing.type('\r');
    await editing.shows('+ /node_count: 7');
    await editing.shows('Carry this out?');
    editing.type('yes\r');
    const edited = await editing.ended;
    assert.equal(edited.code, 0, edited.stdout);
    assert.match(edited.stdout, /cluster\/demo-cluster-01 changed/);

    const nothing = await line.run(edit, { EDITOR: 'true' });
    assert.deepEqual([nothing.code, nothing.stdout], [0, 'cluster/demo-cluster-01 unchanged\n']);

    // Somebody else is faster: the version that was opened is not there any more.
    const faster = await editor(
      line,
      `sed -i "s/^node_count: .*/node_count: 8/" "$1"\n'${join(import.meta.dirname, '../../bin/fluxgate')}' cluster patch demo-cluster-01 -p '{"node_count": 9}' >/dev/null`,
    );
    const late = await line.run(edit, { EDITOR: faster });
    assert.equal(late.code, 5, late.stderr);
    assert.match(late.stderr, /precondition_failed[\s\S]*what you typed is in \//);
    const now = await line.run(['cluster', 'get', 'demo-cluster-01', '-o', 'json']);
    assert.equal((JSON.parse(now.stdout) as { node_count: number }).node_count, 9);

    // A field that is taken out of the text is taken out of the object.
    const shorter = await editor(line, 'sed -i "/^node_count:/d" "$1"');
    assert.equal((await line.run(edit, { EDITOR: shorter })).code, 0);
    assert.doesNotMatch((await line.run(['cluster', 'get', 'demo-cluster-01'])).stdout, /node_count/);
  });

  it('long lists go through $PAGER, and progress is shown, on a terminal only', async (t) => {
    const line = await startCommandLine(t);
    const PAGER = 'sed s/^/paged:/';
    const small = { rows: 3, environment: { PAGER } };
    const paged = await line.terminal(['cluster', 'list'], small).ended;
    assert.match(paged.stdout, /paged:.*demo-cluster-03/);
    const flat = await line.terminal(['cluster', 'list', '--no-pager'], small).ended;
    assert.doesNotMatch(flat.stdout, /paged:/);
    const fits = await line.terminal(['cluster', 'list'], { rows: 40, environment: { PAGER } }).ended;
    assert.doesNotMatch(fits.stdout, /paged:/);
    const piped = await line.run(['cluster', 'list'], { PAGER });
    assert.doesNotMatch(piped.stdout, /paged:/);

    const dir = join(line.directory, 'fleet');
    const bars = await line.terminal(['export', '--dir', dir]).ended;
    assert.match(bars.stdout, /writing \[█+·*\] \d+ of \d+ files/);
    const quiet = await line.run(['import', '--dir', dir, '--mode', 'merge', '--yes']);
    assert.deepEqual([quiet.code, quiet.stderr, quiet.stdout], [0, '', 'nothing was different\n']);
    const waiting = await line.terminal(['import', '--dir', dir, '--mode', 'merge']).ended;
    assert.match(waiting.stdout, /the gateway compares \d+ files/);
  });
});
