import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../src/core/limits.ts';
import { WORKER_LIMITS } from '../../src/core/limits-workers.ts';
import { startWorkers } from '../support/workers.ts';

it('whoever has used up what strangers may on one worker has little left on the other', async (t) => {
  const gateway = await startWorkers(t, 2);
  const [first, second] = [...(await gateway.ways(2)).values()];
  assert.ok(first !== undefined && second !== undefined);
  const { burst } = LIMITS.anonymousRequests;
  const until429 = async (way: typeof first): Promise<number> => {
    for (let served = 0; served < 2 * burst; served += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => way.send({ path: '/clusters' })));
      if (answers.some(({ status }) => status === 429)) return served;
    }
    return Number.POSITIVE_INFINITY;
  };
  const alone = await until429(first);
  assert.ok(alone >= burst / 2, `the first one alone: ${alone}`);
  await sleep(3 * WORKER_LIMITS.shareIntervalMs);
  const left = await until429(second);
  // Half of a burst is told to nobody; the rest of what is served here is what came back in the meantime.
  assert.ok(left <= alone * 0.75, `${alone} by the first worker, and then ${left} by the second`);
});
