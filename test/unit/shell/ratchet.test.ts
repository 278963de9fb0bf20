import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createLog } from '../../../src/shell/log.ts';
import { createRatchet } from '../../../src/shell/ratchet.ts';
import type { RatchetEntry } from '../../../src/shell/store/store.ts';

/** A ratchet on a store whose commits end when the test says so. */
function ratchetOn(kept: readonly string[] = []) {
  const inStore = new Set(kept);
  const commits: { readonly names: readonly string[]; readonly end: (error?: Error) => void }[] = [];
  const announced: unknown[] = [];
  let begun = Promise.withResolvers<void>();
  const store = {
    reader: { isRatcheted: async (dns: string) => inStore.has(dns) },
    ratchet(entries: readonly RatchetEntry[]) {
      const names = entries.map(({ clusterDns }) => clusterDns);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const end = (error?: Error): void => {
        for (const name of error === undefined ? names : []) inStore.add(name);
        if (error === undefined) resolve();
        else reject(error);
      };
      commits.push({ names, end });
      begun.resolve();
      begun = Promise.withResolvers<void>();
      return promise;
    },
  };
  const siblings = {
    onShared: () => undefined,
    announce: async (_topic: string, item: unknown) => void announced.push(item),
  };
  const clock = { now: () => 1, elapsed: () => 1 };
  const log = createLog('silent', { write: () => undefined });
  return {
    ratchet: createRatchet(store, clock, log, siblings),
    commits,
    announced,
    nextCommit: () => begun.promise,
  };
}

/** Whether it is settled once all that can happen by itself has. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

it('keeps a burst of first polls in one commit, and answers none before it is kept', {
  timeout: 5_000,
}, async () => {
  const { ratchet, commits, nextCommit } = ratchetOn();
  const begins = nextCommit();
  const names = Array.from({ length: 10 }, (_, n) => `c${n}.example.com`);
  const turns: Promise<void>[] = [];
  for (const name of names) {
    turns.push(ratchet.turn(name, 'x'));
    // Each comes by a connection of its own.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await begins;
  assert.deepEqual(
    commits.map((commit) => commit.names),
    [names],
  );
  assert.equal(await isSettled(Promise.race(turns)), false);
  assert.equal(await ratchet.isTurned('c7.example.com'), true, 'tokens are locked out at once');
  commits[0]?.end();
  await Promise.all(turns);
});

it('lets the second poll of a cluster wait for the commit of its first', { timeout: 5_000 }, async () => {
  const { ratchet, commits, nextCommit } = ratchetOn();
  const begins = nextCommit();
  const first = ratchet.turn('a.example.com', 'x');
  await begins;
  const second = ratchet.turn('a.example.com', 'x');
  assert.equal(await isSettled(second), false);
  commits[0]?.end();
  await Promise.all([first, second]);
  await ratchet.turn('a.example.com', 'x');
  assert.equal(commits.length, 1, 'what is kept is not written again');
});

it('writes nothing for whom the store knows, from before a restart or from another worker', {
  timeout: 5_000,
}, async () => {
  const { ratchet, commits } = ratchetOn(['a.example.com']);
  await ratchet.turn('a.example.com', 'x');
  assert.equal(commits.length, 0);
});

it('tells the other workers what the store did not take, and tries again at the next poll', {
  timeout: 5_000,
}, async () => {
  const { ratchet, commits, announced, nextCommit } = ratchetOn();
  const begins = nextCommit();
  const first = ratchet.turn('a.example.com', 'x');
  await begins;
  commits[0]?.end(new Error('disk full'));
  await first;
  assert.deepEqual(announced, ['a.example.com']);
  assert.equal(await ratchet.isTurned('a.example.com'), true);
  const again = nextCommit();
  const second = ratchet.turn('a.example.com', 'x');
  await again;
  commits[1]?.end();
  await second;
  assert.deepEqual(commits[1]?.names, ['a.example.com']);
});
