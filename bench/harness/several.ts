/** The floor, COUNT times on one port, as SPREAD says (servers.ts). */
import cluster from 'node:cluster';
import { isMainThread, Worker } from 'node:worker_threads';

const count = Number(process.env['COUNT']);
const threads = process.env['SPREAD']?.startsWith('threads') === true;

if (threads && isMainThread) {
  for (let n = 0; n < count; n++) new Worker(new URL(import.meta.url));
} else if (!threads && cluster.isPrimary) {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  for (let n = 0; n < count; n++) cluster.fork();
  // The workers of a supervisor that is gone end by themselves.
  process.on('SIGTERM', () => process.exit());
} else {
  await import('./floor.ts');
}
