/**
 * Loaded into a gateway's process by `--import`, beside its own code: on SIGUSR2 it tries what an intruder in that process would, and
 * prints one line of JSON, by attempt: 'done', or the code of the error. It is told where to try by ESCAPE_OUTSIDE, ESCAPE_DATA
 * and ESCAPE_PORT.
 */
import { execFileSync, fork, spawn } from 'node:child_process';
import cluster from 'node:cluster';
import dgram from 'node:dgram';
import dns from 'node:dns';
import { type EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import inspector from 'node:inspector';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import v8 from 'node:v8';
import { WASI } from 'node:wasi';
import { Worker } from 'node:worker_threads';

const outside = process.env['ESCAPE_OUTSIDE'] ?? '';
const data = process.env['ESCAPE_DATA'] ?? '';
const port = Number(process.env['ESCAPE_PORT']);
const secret = join(outside, 'secret');
const room = (name: string): string => join(outside, `${name}-${process.pid}`);

const binding = (name: string): unknown => Reflect.get(process, 'binding').call(process, name);

async function ended(child: EventEmitter, event: string): Promise<void> {
  await once(child, event);
}

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  'read a file': () => fs.readFileSync(secret),
  'read a file by promise': () => fs.promises.readFile(secret),
  'read a file as a stream': () => ended(fs.createReadStream(secret), 'data'),
  'read a file as a blob': async () => (await fs.openAsBlob(secret)).text(),
  'read a file by a path of octets': () => fs.readFileSync(Buffer.from(`${data}/../outside/secret`)),
  'read a file by a path that climbs': () => fs.readFileSync(`${data}/../outside/secret`),
  'read what is beside the data directory, and begins like it': () => fs.readFileSync(`${data}-2/secret`),
  'read the password file': () => fs.readFileSync('/etc/passwd'),
  'read the environment that the process was started with': () => fs.readFileSync('/proc/self/environ'),
  'open its own memory': () => fs.closeSync(fs.openSync('/proc/self/mem', 'r')),
  'open its own memory by way of a thread': () =>
    fs.closeSync(fs.openSync(`/proc/self/task/${process.pid}/mem`, 'r')),
  'list its own threads': () => fs.readdirSync('/proc/self/task'),
  'list a directory': () => fs.readdirSync(outside),
  'look at a file': () => fs.statSync(secret),
  'resolve a link': () => fs.readlinkSync('/proc/self/exe'),
  'watch a directory': () => fs.watch(outside).close(),
  'copy a file in': () => fs.copyFileSync(secret, join(data, 'copy')),
  'rename a file in': () => fs.renameSync(join(outside, 'to-rename'), join(data, 'renamed')),
  'link a file in': () => fs.linkSync(secret, join(data, 'hard')),
  'plant a symlink': () => fs.symlinkSync(secret, join(data, 'soft')),
  'write a file': () => fs.writeFileSync(room('written'), 'x'),
  'write beside the store': () => fs.writeFileSync(join(data, 'planted.node'), 'x'),
  'write its own code': () => fs.closeSync(fs.openSync(process.argv[1] ?? '', 'r+')),
  'change a mode': () => fs.chmodSync(secret, 0o600),
  'make a directory': () => fs.mkdtempSync(room('directory')),
  'write a heap snapshot': () => v8.writeHeapSnapshot(room('heap')),
  'write a report': () => process.report.writeReport(room('report')),
  'read the store': () => fs.readFileSync(join(data, 'fleet.db')),
  'read the seed again': () => fs.readFileSync(process.env['SEED_FILE'] ?? ''),
  'run a program': () => execFileSync('/bin/true'),
  'start a process': () => ended(spawn('/bin/true'), 'exit'),
  fork: () => ended(fork(join(outside, 'child.cjs')), 'exit'),
  'become a cluster': () => {
    cluster.setupPrimary({ exec: join(outside, 'child.cjs') });
    return ended(cluster.fork(), 'exit');
  },
  'start a worker': () => ended(new Worker('1', { eval: true }), 'exit'),
  'start a debugger': () => {
    inspector.open(0, '127.0.0.1');
    inspector.close();
  },
  'debug itself': () => {
    const session = new inspector.Session();
    session.connect();
    session.disconnect();
  },
  'reach the insides of Node': () => binding('fs'),
  'load native code': () => process.dlopen({ exports: {} }, join(outside, 'native.node')),
  'load native code from the data directory': () =>
    process.dlopen({ exports: {} }, join(data, 'native.node')),
  'require a module': () => createRequire(join(outside, 'any.js'))(join(outside, 'module.cjs')),
  'import a module': () => import(join(outside, 'module.mjs')),
  'run WASI': () => new WASI({ version: 'preview1', preopens: { '/': '/' } }),
  'open any database': async () => {
    const { DatabaseSync } = await import('node:sqlite');
    new DatabaseSync(room('database')).close();
  },
  connect: async () => {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
  },
  'connect to a socket file': async () => {
    const socket = net.connect(join(outside, 'socket'));
    await once(socket, 'connect');
    socket.destroy();
  },
  listen: async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  },
  'listen on a socket file': async () => {
    const server = net.createServer().listen(room('socket'));
    await once(server, 'listening');
    server.close();
  },
  'send a datagram': async () => {
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.close();
  },
  'resolve a name': () => dns.promises.lookup('localhost'),
  'find a token in the environment': () => {
    if (process.env['AUTH_TOKEN'] === undefined) throw Object.assign(new Error('none'), { code: 'GONE' });
  },
  'reach a prototype by __proto__': () => {
    if (!('__proto__' in {})) throw Object.assign(new Error('none'), { code: 'GONE' });
  },
};

let fail: (error: unknown) => void = () => undefined;
/** Node throws some refusals where nobody can catch them. */
process.on('uncaughtException', (error) => fail(error));

async function outcomeOf(attempt: () => unknown): Promise<string> {
  try {
    const elsewhere = new Promise((_, reject) => {
      fail = reject;
    });
    await Promise.race([(async () => attempt())(), elsewhere]);
    return 'done';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

process.on('SIGUSR2', async () => {
  const outcomes: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(ATTEMPTS)) outcomes[name] = await outcomeOf(attempt);
  process.stdout.write(`${JSON.stringify({ outcomes })}\n`);
});
