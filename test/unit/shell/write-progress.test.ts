import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TellProgress } from '../../../src/core/fleet/progress.ts';
import { WORKER_LIMITS } from '../../../src/core/limits-workers.ts';
import type { SupervisorMessage, WorkerMessage } from '../../../src/core/workers/messages.ts';
import { ALONE, connectSiblings } from '../../../src/shell/workers/siblings.ts';
import { createWriteProgress, type WriteProgress } from '../../../src/shell/write-progress.ts';

const ID = '0'.repeat(36);

/** A write that goes on until `end`. */
function begun(progress: WriteProgress, author: string, id: string | undefined) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let tell: TellProgress = () => assert.fail('has not begun');
  const over = progress.during(author, id, (given) => {
    tell = given;
    return promise;
  });
  return { tell: (...args: Parameters<TellProgress>) => tell(...args), resolve, reject, over };
}

test('how far a write has come is told under its author and id together, until it is over, however it ends', async () => {
  const progress = createWriteProgress(ALONE);
  for (const end of ['resolve', 'reject'] as const) {
    const write = begun(progress, 'operator:sam', ID);
    assert.deepEqual(progress.of('operator:sam', ID), { step: 'waiting', done: 0 });
    write.tell('planning', 3, 10);
    assert.deepEqual(progress.of('operator:sam', ID), { step: 'planning', done: 3, total: 10 });
    write.tell('planning', 4);
    assert.deepEqual(progress.of('operator:sam', ID), { step: 'planning', done: 4 });
    assert.equal(progress.of('operator:kim', ID), undefined);
    assert.equal(progress.of('operator:sam#tok', ID), undefined);
    assert.equal(progress.of('operator:sam', '1'.repeat(36)), undefined);
    if (end === 'resolve') {
      write.resolve('done');
      assert.equal(await write.over, 'done');
    } else {
      write.reject(new Error('refused'));
      await assert.rejects(write.over, /refused/);
    }
    assert.equal(progress.of('operator:sam', ID), undefined);
  }
});

test('a name that is in use stays with the write that has it; of another author it is another name', async () => {
  const progress = createWriteProgress(ALONE);
  const first = begun(progress, 'operator:sam', ID);
  const second = begun(progress, 'operator:sam', ID);
  const other = begun(progress, 'operator:kim', ID);
  first.tell('reading', 1, 2);
  second.tell('writing', 7, 9);
  other.tell('checking', 5, 6);
  assert.deepEqual(progress.of('operator:sam', ID), { step: 'reading', done: 1, total: 2 });
  second.resolve('');
  await second.over;
  assert.deepEqual(progress.of('operator:sam', ID), { step: 'reading', done: 1, total: 2 });
  assert.deepEqual(progress.of('operator:kim', ID), { step: 'checking', done: 5, total: 6 });
});

test('no more writes are told of than there is room for, and those that are not go on all the same', async () => {
  const progress = createWriteProgress(ALONE);
  const ids = Array.from({ length: WORKER_LIMITS.progressesMax + 1 }, (_, n) => String(n).padStart(36, '0'));
  const writes = ids.map((id) => begun(progress, 'operator:sam', id));
  const last = writes.at(-1);
  last?.tell('writing', 1, 1);
  assert.equal(progress.of('operator:sam', ids.at(-1) ?? ''), undefined);
  last?.resolve('done');
  assert.equal(await last?.over, 'done');
  writes[0]?.resolve('');
  await writes[0]?.over;
  begun(progress, 'operator:sam', ids.at(-1));
  assert.notEqual(
    progress.of('operator:sam', ids.at(-1) ?? ''),
    undefined,
    'what is over gives its room back',
  );
});

test('is told by the other workers as well, for as long as the write goes on, and to its author only', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const sent: WorkerMessage[] = [];
  let hear: (message: SupervisorMessage) => void = () => undefined;
  const connect = (send: (message: WorkerMessage) => void) =>
    createWriteProgress(
      connectSiblings({
        worker: 1,
        count: 2,
        send,
        onMessage(listener) {
          hear = listener;
        },
      }),
    );
  const writing = connect((message) => void sent.push(message));
  const asked = connect(() => undefined);
  const pass = (): void => {
    t.mock.timers.tick(WORKER_LIMITS.shareIntervalMs);
    for (const message of sent.splice(0)) {
      if (message.kind === 'share')
        hear({
          kind: 'shared',
          from: 2,
          parts: JSON.parse(JSON.stringify(message.parts)),
        });
    }
  };
  await writing.during('operator/a', 'id', async (tell) => {
    tell('planning', 3, 10);
    pass();
    assert.deepEqual(asked.of('operator/a', 'id'), { step: 'planning', done: 3, total: 10 });
    assert.equal(asked.of('operator/b', 'id'), undefined);
  });
  pass();
  assert.equal(asked.of('operator/a', 'id'), undefined);
});
