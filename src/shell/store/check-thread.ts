import { parentPort, workerData } from 'node:worker_threads';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import type { AnswerOfThread, AskedOfThread, ToldByThread } from './check-file.ts';
import { guardSettings, problemOfFile } from './damage.ts';
import { readPins } from './pin-pages.ts';
import { isSealed } from './seal.ts';

/**
 * What `check-file.ts` starts, and nothing else: tells what is wrong with the store's file, or that it is sealed, and the pins in it. What is
 * asked for besides it tells once each, and ends when there is nothing more that it could be asked for.
 */
const path = String(workerData);
const sealed = isSealed(path);
const problem = sealed ? undefined : problemOfFile(path);
const read = problem === undefined ? pinsOf() : undefined;

const answers = new Map<AskedOfThread, () => unknown>();
if (sealed) answers.set('what is wrong with it?', () => problemOfFile(path) ?? null);
if (read !== undefined) answers.set('are the pins still so?', read.areStillSo);
parentPort?.on('message', (question: AskedOfThread) => {
  const answer: AnswerOfThread = { to: question, answer: answers.get(question)?.() };
  answers.delete(question);
  parentPort?.postMessage(answer);
  if (answers.size === 0) parentPort?.close();
});
const told: ToldByThread = { problem, sealed, ...(read && { pins: read.pins }) };
parentPort?.postMessage(told, read ? [read.pins.octets] : []);
if (answers.size === 0) parentPort?.close();

/** undefined: they cannot be read here, and whoever opens the store says why. */
function pinsOf() {
  let database: Database | undefined;
  try {
    const opened = new SqliteDatabase(path, { fileMustExist: true, timeout: 0 });
    database = opened;
    guardSettings(opened);
    opened.pragma('query_only = ON');
    const version = versionOf(opened);
    const pages = readPins(opened);
    // Not from Node's pool, which cannot be given away.
    const all = Buffer.alloc(pages.reduce((length, { octets }) => length + octets.length, 0));
    pages.reduce((at, { octets }) => at + octets.copy(all, at), 0);
    return {
      pins: {
        pages: pages.map(({ first, count, octets }) => ({ first, count, length: octets.length })),
        octets: all.buffer,
      },
      areStillSo(): boolean {
        const are = versionOf(opened) === version;
        opened.close();
        return are;
      },
    };
  } catch {
    database?.close();
    return undefined;
  }
}

function versionOf(database: Database): unknown {
  return database.pragma('data_version', { simple: true });
}
