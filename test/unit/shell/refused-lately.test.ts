import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Snapshot } from '../../../src/core/snapshot.ts';
import { createLog } from '../../../src/shell/log.ts';
import type { Presentations } from '../../../src/shell/presentations.ts';
import { createRefusedLately } from '../../../src/shell/refused-lately.ts';

const snapshot = (): Snapshot => ({ trust: {}, crls: { crls: [] } }) as unknown as Snapshot;

for (const [ended, lines] of [
  [false, 1],
  [true, 0],
] as const) {
  it(`a look that fails is ${ended ? 'no fault once the gateway ends, whose store is closed' : 'told'}`, async () => {
    const written: string[] = [];
    const log = createLog('error', { write: (line: string) => void written.push(line) });
    const { promise, reject } = Promise.withResolvers<void>();
    const presentations = { loaded: () => promise } as unknown as Presentations;
    const lately = createRefusedLately(presentations, { now: () => 0, elapsed: () => 0 }, log);
    lately.look(snapshot(), snapshot());
    if (ended) lately.stop();
    reject(new Error('the store is closed'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(written.length, lines, written.join());
  });
}
