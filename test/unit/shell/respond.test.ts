import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { respond } from '../../../src/shell/http/respond.ts';

/** The octets that arrive, and how many were announced. */
async function received(body: string): Promise<{ readonly octets: Buffer; readonly announced: number }> {
  await using server = createServer((_request, response) =>
    respond(response, { status: 200, body }, { requestId: 'r', close: true }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  const [response] = await once(request, 'response');
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  return { octets: Buffer.concat(pieces), announced: Number(response.headers['content-length']) };
}

for (const [what, body] of [
  ['ASCII', '{"inputs":[{"id":"a"}]}'],
  ['letters that Latin-1 has as one octet', '{"owner":"Müller"}'],
  ['what Latin-1 does not have', '{"owner":"Łódź €"}'],
  ['characters of two units', '{"owner":"🦀"}'],
  ['nothing', ''],
] as const) {
  test(`text is sent as UTF-8, whole and with its length in octets: ${what}`, async () => {
    const { octets, announced } = await received(body);
    assert.deepEqual(octets, Buffer.from(body, 'utf8'));
    assert.equal(announced, octets.length);
  });
}
