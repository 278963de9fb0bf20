import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FIRST_VIEW_REHEARSED } from '../../src/shell/http/rehearse.ts';
import { startTestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

it('with the handlers and the views that are there, and neither a request in the log nor an entry of the audit trail comes of it', async (t) => {
  const gateway = await startTestGateway(t, { environment: { LOG_LEVEL: 'debug' } });
  await until(() => gateway.log.some(({ msg }) => /first view/.test(msg)));
  const said = gateway.log.filter(({ msg }) => /first view/.test(msg)).map(({ msg }) => msg);
  assert.deepEqual(said, [FIRST_VIEW_REHEARSED]);
  assert.deepEqual(
    gateway.log.filter(({ operation }) => operation !== undefined),
    [],
  );
  const certificate = await gateway.pki.operator('op@example.com');
  const ask = async (path: string): Promise<Record<string, unknown>[]> =>
    JSON.parse((await gateway.send({ path, certificate })).body.toString()) as Record<string, unknown>[];
  // The seed, and the start.
  assert.deepEqual(
    new Set((await ask('/audit')).map(({ event }) => event)),
    new Set(['fleet_changed', 'started']),
  );
});
