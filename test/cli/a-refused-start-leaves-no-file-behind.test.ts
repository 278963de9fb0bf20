import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fluxgate } from '../support/spawned.ts';
import { serveEnvironment } from './serve-environment.ts';

for (const WORKERS of ['1', '2']) {
  it(`a gateway of ${WORKERS} that lacks a certificate makes no store`, async (t) => {
    const { environment, directory } = await serveEnvironment(t);
    const { code, stderr } = await fluxgate(t, ['serve'], {
      environment: { ...environment, WORKERS, TLS_CERT_FILE: '/nowhere/tls.crt' },
    }).ended;
    assert.equal(code, 78);
    assert.match(stderr, /^fluxgate: TLS_CERT_FILE: \/nowhere\/tls\.crt does not exist$/m);
    assert.equal(existsSync(join(directory, 'fleet.db')), false);
  });
}
