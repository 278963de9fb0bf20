import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { sampleCluster } from '../../support/fleet.ts';

/** Run by crash.test.ts: commits one cluster after another, says so on stdout, and leaves each next one half written. */
const store = await openSqliteStore(process.argv[2] ?? '');
for (let n = 0; ; n++) {
  await store.transact(async (tx) => {
    await tx.insert('cluster', sampleCluster(`whole-${n}`));
    await tx.insert('cluster', sampleCluster(`pair-${n}`));
    process.stdout.write(`half ${n}\n`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  });
  process.stdout.write(`done ${n}\n`);
}
