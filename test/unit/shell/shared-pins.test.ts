import assert from 'node:assert/strict';
import { it } from 'node:test';
import { observeKey, type PinState } from '../../../src/core/identity/pins.ts';
import type { ClusterPrincipal } from '../../../src/core/identity/principal.ts';
import type { SupervisorMessage, WorkerMessage } from '../../../src/core/workers/messages.ts';
import { createLog } from '../../../src/shell/log.ts';
import { createMetrics } from '../../../src/shell/metrics.ts';
import { createKeyPins } from '../../../src/shell/pins.ts';
import type { SightingStore } from '../../../src/shell/store/sightings.ts';
import { connectSiblings } from '../../../src/shell/workers/siblings.ts';

const DNS = 'a.example.com';
const entry = { at: '', event: 'pin_reset', actor: {} } as never;

/** One worker's pins, with a test for the other worker. */
async function pinsOfOne() {
  const sent: WorkerMessage[] = [];
  let hear: (message: SupervisorMessage) => void = () => undefined;
  const siblings = connectSiblings({
    worker: 1,
    count: 2,
    send: (message) => void sent.push(message),
    onMessage(listener) {
      hear = listener;
    },
  });
  let nowMs = 1_000;
  const clock = { now: () => nowMs, elapsed: () => nowMs };
  const store = {
    pins: async () => [],
    save: async () => undefined,
  } as unknown as SightingStore;
  const log = createLog('silent', { write: () => undefined });
  const pins = await createKeyPins('enforce', store, { clock, log, metrics: createMetrics(), siblings });
  return {
    pins,
    at(ms: number) {
      nowMs = ms;
    },
    see: (spkiSha256: string) =>
      pins.admit(
        {
          kind: 'cluster',
          dns: DNS,
          certificate: { spkiSha256, sha256: 'x', serial: '1' },
        } as ClusterPrincipal,
        { requestId: '00ff', source: '192.0.2.1' },
      ),
    tells(state: PinState) {
      hear({ kind: 'shared', from: 2, parts: [['pins', [[DNS, JSON.parse(JSON.stringify(state))]]]] });
    },
    hearsOfReset(atMs: number) {
      hear({ kind: 'shared', from: 2, parts: [['pin_reset', [{ name: DNS, atMs }]]] });
    },
    /** The other worker takes in what this one announces. */
    async reset() {
      const resetting = pins.reset(DNS, entry);
      await new Promise((resolve) => setImmediate(resolve));
      const announced = sent.findLast(
        (message) => message.kind === 'share' && message.parts[0]?.[0] === 'pin_reset',
      );
      assert.ok(announced?.kind === 'share' && announced.ack !== undefined);
      hear({ kind: 'taken_by_all', ack: announced.ack });
      return resetting;
    },
    close: () => Promise.all([pins.close(), siblings.stop()]),
  };
}

it('keys that were forgotten do not come back from a worker that had not heard of it; new ones are taken', async () => {
  const one = await pinsOfOne();
  const old = observeKey(undefined, 'old', 500).state;
  one.tells(old);
  assert.equal(one.pins.get(DNS)?.spkiSha256, 'old');
  one.at(2_000);
  assert.notEqual(await one.reset(), undefined);
  one.tells(old);
  one.tells(observeKey(old, 'newer', 1_999).state);
  assert.equal(one.pins.get(DNS), undefined);
  assert.equal(one.see('first'), undefined);
  assert.equal(one.pins.get(DNS)?.spkiSha256, 'first');
  one.tells(observeKey(undefined, 'renewed', 3_000).state);
  assert.equal(one.pins.get(DNS)?.spkiSha256, 'renewed');
  await one.close();
});

it('a key that was learned since another worker forgot the cluster’s keys is kept, whichever is heard of first', async () => {
  const one = await pinsOfOne();
  one.tells(observeKey(undefined, 'before', 1_999).state);
  one.hearsOfReset(2_000);
  assert.equal(one.pins.get(DNS), undefined);
  one.tells(observeKey(undefined, 'since', 2_001).state);
  one.hearsOfReset(2_000);
  assert.equal(one.pins.get(DNS)?.spkiSha256, 'since');
  await one.close();
  const other = await pinsOfOne();
  other.tells(observeKey(undefined, 'since', 2_001).state);
  other.hearsOfReset(2_000);
  other.tells(observeKey(observeKey(undefined, 'old', 500).state, 'older', 1_000).state);
  assert.equal(other.pins.get(DNS)?.spkiSha256, 'since');
  assert.deepEqual(other.pins.get(DNS)?.retired ?? [], []);
  await other.close();
});
