import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorDetail, FluxgateError } from '../../../src/core/errors.ts';
import { startAdmin } from '../../../src/shell/admin.ts';

type Parts = Parameters<typeof startAdmin>;

test('a probe of a gateway that drains makes no line: the drain has its own', async (t) => {
  const lines: string[] = [];
  const say = (...[, message]: readonly unknown[]): void => void lines.push(String(message));
  let details: readonly ErrorDetail[] = [];
  const health = {
    ready: () => Promise.reject(new FluxgateError('unavailable', 'Not ready.', { details })),
  };
  const admin = await startAdmin(
    { host: '127.0.0.1', port: 0 },
    health as unknown as Parts[1],
    {} as Parts[2],
    { info: say, error: say } as unknown as Parts[3],
    () => '0'.repeat(24),
  );
  t.after(() => admin.close());
  const probe = async (field: string): Promise<number> => {
    details = [{ field, problem: 'is so' }];
    return (await fetch(`http://127.0.0.1:${admin.address.port}/ready`)).status;
  };
  assert.equal(await probe('process'), 503);
  assert.deepEqual(lines, []);
  assert.equal(await probe('store'), 503);
  assert.deepEqual(lines, ['not ready: /ready is 503']);
});
