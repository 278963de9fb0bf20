import assert from 'node:assert/strict';
import { it } from 'node:test';
import { WORKER_LIMITS } from '../../../../src/core/limits-workers.ts';
import type { SupervisorMessage, WorkerMessage } from '../../../../src/core/workers/messages.ts';
import { createLog } from '../../../../src/shell/log.ts';
import { createSupervisor, type WorkerProcess } from '../../../../src/shell/workers/supervisor.ts';

/** Workers that do what a test says. */
function stage(count: number) {
  const events: string[] = [];
  const workers = new Map<number, FakeWorker>();
  const log = createLog('error', { write: (line: string) => void events.push(JSON.parse(line).msg) });
  const supervisor = createSupervisor({
    count,
    log,
    start(number) {
      events.push(`start ${number}`);
      const worker = new FakeWorker(number, events);
      workers.set(number, worker);
      return worker;
    },
  });
  const worker = (number: number): FakeWorker => {
    const found = workers.get(number);
    assert.ok(found !== undefined, `worker ${number} was started`);
    return found;
  };
  return { supervisor, events, worker };
}

class FakeWorker implements WorkerProcess {
  readonly pid = 1;
  readonly heard: SupervisorMessage[] = [];
  readonly #number: number;
  readonly #events: string[];
  #message: (message: unknown) => void = () => undefined;
  #exit: (code: number | null, signal: string | null) => void = () => undefined;
  constructor(number: number, events: string[]) {
    this.#number = number;
    this.#events = events;
  }
  send(message: SupervisorMessage): void {
    this.heard.push(message);
    if (message.kind !== 'stop') return;
    this.#events.push(`stop ${this.#number}`);
    this.exit(0);
  }
  onMessage(listener: (message: unknown) => void): void {
    this.#message = listener;
  }
  onExit(listener: (code: number | null, signal: string | null) => void): void {
    this.#exit = listener;
  }
  kill(): void {
    this.#events.push(`kill ${this.#number}`);
    this.exit(null);
  }
  says(message: WorkerMessage | object): void {
    this.#message(message);
  }
  exit(code: number | null): void {
    this.#exit(code, code === null ? 'SIGKILL' : null);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Two workers that serve. */
async function two() {
  const all = stage(2);
  const started = all.supervisor.start();
  all.worker(1).says({ kind: 'hears' });
  all.worker(1).says({ kind: 'ready' });
  await turn();
  all.worker(2).says({ kind: 'hears' });
  all.worker(2).says({ kind: 'ready' });
  assert.equal(await started, undefined);
  return all;
}

it('starts the first worker by itself, and ends with its exit code where it does not come to serve', async () => {
  const { supervisor, events, worker } = stage(3);
  const started = supervisor.start();
  await turn();
  assert.deepEqual(events, ['start 1']);
  worker(1).exit(78);
  assert.equal(await started, 78);
  assert.ok(!events.includes('start 2'));
});

it('restarts each by a new one that serves before the old one is stopped', async () => {
  const { supervisor, events, worker } = await two();
  const restarted = supervisor.restart();
  await turn();
  worker(3).says({ kind: 'ready' });
  await turn();
  worker(4).says({ kind: 'ready' });
  await restarted;
  assert.deepEqual(events, ['start 1', 'start 2', 'start 3', 'stop 1', 'start 4', 'stop 2']);
});

it('stops nobody where the new one does not come to serve', async () => {
  const { supervisor, events, worker } = await two();
  const restarted = supervisor.restart();
  await turn();
  worker(3).exit(1);
  await restarted;
  assert.ok(!events.some((event) => event.startsWith('stop')), events.join());
  assert.equal(events.at(-1), 'a new worker does not come to serve: those that serve go on');
});

it('tells what one worker shares to all others that hear, served or not, and to itself nothing', async () => {
  const { supervisor, worker } = await two();
  const restarted = supervisor.restart();
  await turn();
  worker(3).says({ kind: 'hears' });
  worker(1).says({ kind: 'share', parts: [['token_ending', ['x']]], ack: 7 });
  const shared = { kind: 'shared', from: 1, parts: [['token_ending', ['x']]], ack: 7 };
  assert.deepEqual([worker(2).heard.at(-1), worker(3).heard.at(-1)], [shared, shared]);
  assert.deepEqual(worker(1).heard, []);
  worker(2).says({ kind: 'taken', from: 1, ack: 7 });
  assert.deepEqual(worker(1).heard, []);
  worker(3).says({ kind: 'taken', from: 1, ack: 7 });
  assert.deepEqual(worker(1).heard, [{ kind: 'taken_by_all', ack: 7 }]);
  worker(3).exit(1);
  await restarted;
});

it('gives the turn of a worker that is gone to the next one, and tells the others that it is gone', async () => {
  const { worker } = await two();
  worker(1).says({ kind: 'turn_wanted', id: 1 });
  worker(2).says({ kind: 'turn_wanted', id: 1 });
  assert.deepEqual(worker(2).heard, []);
  worker(1).exit(null);
  assert.deepEqual(worker(2).heard, [
    { kind: 'turn', id: 1 },
    { kind: 'gone', worker: 1 },
  ]);
});

it('ends a worker that says what no worker says', async () => {
  const { events, worker } = await two();
  worker(2).says({ kind: 'share', parts: [['everything', []]] });
  assert.deepEqual(events.slice(-3), [
    'a worker says what no worker says: it is ended',
    'kill 2',
    'a worker ended by itself, and its connections with it; another is started in its place',
  ]);
});

it('replaces nobody once it is asked to stop, and says whether all ended in order', async () => {
  const { supervisor, events } = await two();
  assert.equal(await supervisor.stop(), true);
  assert.deepEqual(events, ['start 1', 'start 2', 'stop 1', 'stop 2']);
});

it('leaves no surplus where an old worker ends by itself while its successor starts', async () => {
  const { supervisor, events, worker } = await two();
  const restarted = supervisor.restart();
  await turn();
  worker(2).exit(null);
  worker(1).exit(null);
  worker(3).says({ kind: 'ready' });
  await turn();
  await restarted;
  // The one that was being replaced has its successor; the other one is replaced for having ended, once.
  await new Promise((resolve) => setTimeout(resolve, 2 * WORKER_LIMITS.replaceDelayMsMin));
  assert.deepEqual(
    events.filter((event) => event.startsWith('start')),
    ['start 1', 'start 2', 'start 3', 'start 4'],
  );
});

it('ends a worker that serves and says nothing any more, and none that says that it is alive', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const { events, worker } = await two();
  for (; nowMs <= WORKER_LIMITS.hungMs + 2 * WORKER_LIMITS.aliveMs; nowMs += WORKER_LIMITS.aliveMs) {
    worker(1).says({ kind: 'alive' });
    t.mock.timers.tick(WORKER_LIMITS.aliveMs);
  }
  assert.deepEqual(
    events.filter((event) => /kill|hangs/.test(event)),
    ['a worker hangs: it is ended', 'kill 2'],
  );
});

it('ends nobody for its silence when it stood still itself', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  const { events } = await two();
  nowMs = 10 * WORKER_LIMITS.hungMs;
  t.mock.timers.tick(WORKER_LIMITS.aliveMs);
  assert.ok(!events.some((event) => event.startsWith('kill')), events.join());
});
