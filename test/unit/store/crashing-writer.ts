import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';

/**
 * Run by crash.test.ts: commits one transaction after another until it is killed. Commit n makes two namespaces, `whole-n` and
 * `pair-n`, and writes n into `counter`; it is acknowledged on stdout by a write that outlives the process.
 */
const say = (line: string): void => void writeSync(1, `${line}\n`);
const namespace = (id: string, labels: Record<string, string> = {}) => ({ id, labels, annotations: {} });
const [, , url = '', mode] = process.argv;
say('starting');
const store = await openSqliteStore(url);
if (mode === 'once') process.exit(); // fills the compile cache
const counter = await store.reader.get('namespace', 'counter');
say('open');
for (let n = Number(counter?.labels['n'] ?? -1) + 1; ; n++) {
  const count = namespace('counter', { n: String(n) });
  await store.transact(async (tx) => {
    await tx.insert('namespace', namespace(`whole-${n}`));
    await (n === 0 ? tx.insert('namespace', count) : tx.replace('namespace', count));
    say(`half ${n}`);
    // A turn of the loop now and then, so that a kill falls between two statements, too.
    if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    await tx.insert('namespace', namespace(`pair-${n}`));
  });
  say(`done ${n}`);
}
