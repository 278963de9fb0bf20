import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';

describe('several objects of one command', () => {
  it('that fail on the way name file and object, what was written, and what was not tried', async (t) => {
    const line = await startCommandLine(t);
    const dir = join(line.directory, 'ap');
    await mkdir(dir);
    const file = join(dir, 'a.yaml');
    await writeFile(
      file,
      'id: n1\n---\nid: n2\nlabells: { team: web }\n---\nid: n3\n---\n{ id: podinfo, labels: {} }\n',
    );
    const failed = await line.run(['namespace', 'apply', '-f', dir]);
    assert.deepEqual([failed.code, failed.stdout], [8, 'namespace/n1 created\n']);
    assert.match(
      failed.stderr,
      new RegExp(`^fluxgate: ${file}, namespace/n2: validation_error \\(HTTP 400\\)`, 'm'),
    );
    assert.match(failed.stderr, /\/labells: is not a known field; is labels meant\?/);
    assert.match(failed.stderr, /send it again; nothing of it was written$/m);
    assert.match(
      failed.stderr,
      /^fluxgate: written before that: namespace\/n1; not tried: namespace\/n3, namespace\/podinfo$/m,
    );
    assert.equal((await line.run(['namespace', 'get', 'n3'])).code, 4, 'nothing behind it was tried');

    // What is so already is not told as written.
    const again = await line.run(['namespace', 'apply', '-f', dir]);
    assert.match(again.stderr, /^fluxgate: nothing was written before that; not tried: namespace\/n3/m);
    const planned = await line.run(['plan', 'namespace', 'apply', '-f', dir]);
    assert.equal(planned.code, 8);
    assert.match(planned.stderr, /^fluxgate: nothing was written before that; not tried: namespace\/n3/m);

    const created = await line.run(['namespace', 'create', '-f', dir]);
    assert.match(created.stderr, new RegExp(`^fluxgate: ${file}, namespace/n1: conflict \\(HTTP 409\\)`));

    const deleted = await line.run(['namespace', 'delete', 'n1', 'nowhere', 'podinfo']);
    assert.deepEqual([deleted.code, deleted.stdout], [4, 'namespace/n1 deleted\n']);
    assert.match(
      deleted.stderr,
      /^fluxgate: namespace\/nowhere: not_found[\s\S]*^fluxgate: written before that: namespace\/n1; not tried: namespace\/podinfo$/m,
    );

    // Alone, it is about what the command line or the file says, and there is nothing else to tell of.
    const alone = join(line.directory, 'alone.yaml');
    await writeFile(alone, 'id: n2\nlabells: {}\n');
    const one = await line.run(['namespace', 'apply', '-f', alone]);
    assert.match(one.stderr, new RegExp(`^fluxgate: ${alone}, namespace/n2: validation_error`));
    assert.match(one.stderr, /send it again; nothing was written$/m);
    assert.doesNotMatch(one.stderr, /before that/);
    const named = await line.run(['namespace', 'delete', 'nowhere']);
    assert.match(named.stderr, /^fluxgate: not_found/);
  });

  it('take no key that names one request', async (t) => {
    const line = await startCommandLine(t);
    const file = join(line.directory, 'two.yaml');
    await writeFile(file, 'id: n1\n---\nid: n2\n');
    for (const verb of ['create', 'apply']) {
      const refused = await line.run(['namespace', verb, '-f', file, '--idempotency-key', 'k']);
      assert.deepEqual([refused.code, refused.stdout], [78, '']);
      assert.match(refused.stderr, /--idempotency-key names one request, and here are 2 objects/);
    }
    assert.equal((await line.run(['namespace', 'get', 'n1'])).code, 4);
    await writeFile(file, 'id: n1\n');
    assert.equal((await line.run(['namespace', 'create', '-f', file, '--idempotency-key', 'k'])).code, 0);
  });

  it('can each be confirmed: the command that is told, copied as it is, goes on', async (t) => {
    const line = await startCommandLine(t);
    const file = join(line.directory, 'clusters.yaml');
    const stored = async (id: string): Promise<Record<string, unknown>> =>
      JSON.parse((await line.run(['cluster', 'get', id, '-o', 'json'])).stdout);
    const first = await stored('demo-cluster-01');
    const second = await stored('demo-cluster-02');
    await writeFile(
      file,
      JSON.stringify([
        { ...first, node_count: 5 },
        { ...second, namespaces: [] },
      ]),
    );
    const apply = ['cluster', 'apply', '-f', file];
    const stopped = await line.run(apply);
    assert.deepEqual([stopped.code, stopped.stdout], [6, 'cluster/demo-cluster-01 changed\n']);
    assert.match(
      stopped.stderr,
      new RegExp(
        `^fluxgate: ${file}, cluster/demo-cluster-02: prune_guard: nothing of it was written, because`,
        'm',
      ),
    );
    assert.match(stopped.stderr, /^fluxgate: written before that: cluster\/demo-cluster-01$/m);
    const told = /^ {2}fluxgate (cluster apply .* --yes --plan-hash [0-9a-f]{64})$/m.exec(stopped.stderr);
    const carried = await line.run((told?.[1] ?? '').split(' '));
    assert.deepEqual(
      [carried.code, carried.stderr, carried.stdout],
      [0, '', 'cluster/demo-cluster-01 unchanged\ncluster/demo-cluster-02 changed\n'],
    );

    // An older hash confirms nothing.
    await writeFile(file, JSON.stringify([first, { ...(await stored('demo-cluster-03')), namespaces: [] }]));
    const wrong = await line.run([...apply, '--yes', '--plan-hash', '0'.repeat(64)]);
    assert.deepEqual([wrong.code, wrong.stdout], [6, 'cluster/demo-cluster-01 changed\n']);
  });
});
