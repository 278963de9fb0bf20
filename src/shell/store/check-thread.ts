import { parentPort, workerData } from 'node:worker_threads';
import { problemOfFile } from './damage.ts';
import { isSealed } from './seal.ts';

/** What `check-file.ts` starts, and nothing else: tells what is wrong with the store's file, and ends. */
const path = String(workerData);
parentPort?.postMessage((isSealed(path) ? undefined : problemOfFile(path)) ?? null);
