/** Each editor reads the object, adds a key, and writes what it read plus its key; a 412 sends it back to reading. */
import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { after, test } from 'node:test';
import type { Namespace } from '../../src/core/fleet/objects.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';

const EDITORS = 50;
const PATH = '/namespaces/podinfo';
const token = WRITE_TOKEN;
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
after(() => agent.destroy());

async function edit(gateway: TestGateway, editor: number, conditional: boolean): Promise<number> {
  for (let refused = 0; ; refused++) {
    const read = await gateway.send({ path: PATH, token, agent });
    const annotations = { ...read.json<Namespace>().annotations, [`editor-${editor}`]: 'was here' };
    const headers: Record<string, string> = conditional ? { 'If-Match': String(read.headers.etag) } : {};
    const written = await gateway.send({
      method: 'PUT',
      path: PATH,
      token,
      agent,
      headers,
      body: { annotations },
    });
    if (written.status === 200) return refused;
    assert.equal(written.status, 412);
    assert.equal(written.json()['error'], 'precondition_failed');
  }
}

async function editorsSeen(gateway: TestGateway): Promise<number> {
  const { annotations } = (await gateway.send({ path: PATH, token })).json<Namespace>();
  return Object.keys(annotations).filter((key) => key.startsWith('editor-')).length;
}

test('fifty editors at once, each with If-Match, lose no update', async (t) => {
  const gateway = await startTestGateway(t, { environment: { LOG_LEVEL: 'error' } });
  const editors = Array.from({ length: EDITORS }, (_, editor) => edit(gateway, editor, true));
  const refused = (await Promise.all(editors)).reduce((sum, times) => sum + times, 0);
  assert.equal(await editorsSeen(gateway), EDITORS);
  assert.ok(refused > 0, 'they did meet');
});

test('without If-Match the same editors do lose updates: the test above can fail', async (t) => {
  const gateway = await startTestGateway(t, { environment: { LOG_LEVEL: 'error' } });
  await Promise.all(Array.from({ length: EDITORS }, (_, editor) => edit(gateway, editor, false)));
  assert.ok((await editorsSeen(gateway)) < EDITORS);
});
