import { parentPort, workerData } from 'node:worker_threads';
import { problemOfFile } from './damage.ts';

/** What `check-file.ts` starts, and nothing else: tells what is wrong with the store's file, and ends. */
parentPort?.postMessage(problemOfFile(String(workerData)) ?? null);
