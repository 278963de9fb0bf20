import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';

test('revision list names the object of each revision that changed one, and counts those of the others', async (t) => {
  const line = await startCommandLine(t);
  for (const words of [
    ['cluster', 'patch', 'demo-cluster-01', '--patch', '{"node_count": 9}'],
    ['component', 'patch', 'podinfo', '--patch', '{"oci_tag": "6.9.9"}'],
    ['component', 'set-version', 'cert-manager', '9.9.9', '--cluster', 'demo-cluster-01,demo-cluster-03'],
  ]) {
    const done = await line.run([...words, '--yes']);
    assert.equal(done.code, 0, done.stderr);
  }
  const { stdout, stderr } = await line.run(['revision', 'list']);
  const rows = stdout.trimEnd().split('\n');
  assert.match(rows[0] ?? '', /^REVISION +AT +AUTHOR +ACTION +CHANGED +REASON/, stderr);
  assert.match(rows[1] ?? '', /^4 .* bulk +2 objects/);
  assert.match(rows[2] ?? '', /^3 .* write +component\/podinfo/);
  assert.match(rows[3] ?? '', /^2 .* write +cluster\/demo-cluster-01/);
  assert.match(rows[4] ?? '', /^1 .* seed +\d+ objects/);
});
