import { parentPort, workerData } from 'node:worker_threads';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import type { AnswerOfThread, AskedOfThread, GivenToThread, ToldByThread } from './check-file.ts';
import { checkSettings, problemOf, problemOfFile } from './damage.ts';
import { readPins } from './pin-pages.ts';
import { isSealed } from './seal.ts';

/**
 * What `check-file.ts` starts, and nothing else: tells what is wrong with the store's file, or that it is sealed, and the pins in it; then
 * whatever it is asked, until there is nothing more. All that of one connection: another file that is put in the place of this one is none of its.
 */
const { path, trustsSeals } = workerData as GivenToThread;
const sealed = trustsSeals && isSealed(path);
const problem = sealed ? undefined : problemOfFile(path);
const database = problem === undefined ? opened() : undefined;
const version = database && versionOf(database);
const pins = database && pinsOf(database);
const answers: Readonly<Record<AskedOfThread, () => unknown>> = {
  'are the pins still so?': () => database !== undefined && versionOf(database) === version,
  'what is wrong with it?': () => (database === undefined ? problemOfFile(path) : problemOf(database)),
  'nothing more': () => {
    database?.close();
    parentPort?.close();
  },
};
parentPort?.on('message', (question: AskedOfThread) => {
  const answer: AnswerOfThread = { to: question, answer: answers[question]() };
  parentPort?.postMessage(answer);
});
const told: ToldByThread = { problem, sealed, pins };
parentPort?.postMessage(told, pins ? [pins.octets] : []);

function opened(): Database | undefined {
  try {
    const found = new SqliteDatabase(path, { fileMustExist: true, timeout: 0 });
    checkSettings(found);
    found.pragma('query_only = ON');
    return found;
  } catch {
    return undefined;
  }
}

/** undefined: they cannot be read here, and whoever opens the store says why. */
function pinsOf(from: Database): ToldByThread['pins'] {
  try {
    const pages = readPins(from);
    // Not from Node's pool, which cannot be given away.
    const all = Buffer.alloc(pages.reduce((length, { octets }) => length + octets.length, 0));
    pages.reduce((at, { octets }) => at + octets.copy(all, at), 0);
    return {
      pages: pages.map(({ first, count, octets }) => ({ first, count, length: octets.length })),
      octets: all.buffer,
    };
  } catch {
    return undefined;
  }
}

function versionOf(from: Database): unknown {
  return from.pragma('data_version', { simple: true });
}
