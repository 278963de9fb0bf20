import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { READ_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

describe('/health and /ready', () => {
  const gateway = shareGateway();

  for (const path of ['/health', '/ready', '/openapi.yaml']) {
    it(`${path} answers anybody, and whoever sends a token as openapi.yaml says`, async () => {
      assert.equal((await gateway().send({ path })).status, 200);
      assert.equal((await gateway().send({ path, token: READ_TOKEN })).status, 200);
      // send() fails when the status is not among those that openapi.yaml has for the route.
      const { status } = await gateway().send({ path, token: 'unknown-token' });
      assert.ok([200, 401].includes(status));
    });
  }
});
