import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readWorkerMessage } from '../../../src/core/workers/messages.ts';

it('takes what workers say, and nothing beside its own fields', () => {
  for (const message of [
    { kind: 'hears' },
    { kind: 'ready' },
    {
      kind: 'share',
      parts: [
        ['pins', [1]],
        ['sightings', []],
      ],
    },
    { kind: 'share', parts: [['revocation_pending', []]], ack: 3 },
    { kind: 'taken', from: 1, ack: 3 },
    { kind: 'turn_wanted', id: 0 },
    { kind: 'turn_over', id: 1 },
    { kind: 'metrics_wanted', id: 1, metrics: [] },
    { kind: 'metrics', id: 1, metrics: [{}] },
  ]) {
    assert.deepEqual(readWorkerMessage({ ...message, more: 'x' }), message);
  }
});

it('takes nothing else', () => {
  for (const value of [
    undefined,
    null,
    'ready',
    [],
    {},
    { kind: 'stop' },
    { kind: 'shared', from: 1, parts: [['pins', []]] },
    {
      kind: 'share',
      parts: [
        ['pins', []],
        ['keys', []],
      ],
    },
    { kind: 'share', parts: [['pins', [], []]] },
    { kind: 'share', parts: [['pins', 'all']] },
    { kind: 'share', parts: 'pins' },
    { kind: 'share', topic: 'pins', items: [1] },
    { kind: 'share', parts: [['pins', []]], ack: '1' },
    { kind: 'share', parts: [['pins', []]], ack: -1 },
    { kind: 'taken', from: 1 },
    { kind: 'turn_wanted', id: 1.5 },
    { kind: 'turn_over' },
    { kind: 'metrics', id: 1, metrics: {} },
    { kind: 'metrics_wanted', id: 1 },
  ]) {
    assert.equal(readWorkerMessage(value), undefined, JSON.stringify(value));
  }
});
