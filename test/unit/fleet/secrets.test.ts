import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { FluxgateError } from '../../../src/core/errors.ts';
import { isSecretName, refuseSecrets } from '../../../src/core/fleet/secrets.ts';
import { sampleCluster } from '../../support/fleet.ts';

const change = (patch: Record<string, string>, before?: Record<string, string>) => [
  {
    kind: 'cluster' as const,
    id: 'x',
    before: before && sampleCluster('x', { patches: { app: before } }),
    after: sampleCluster('x', { patches: { app: patch } }),
  },
];

async function problems(patch: Record<string, string>, before?: Record<string, string>): Promise<string[]> {
  try {
    await refuseSecrets(change(patch, before), () => Promise.resolve());
    return [];
  } catch (error) {
    assert.ok(error instanceof FluxgateError && error.code === 'secret_suspected');
    for (const value of Object.values(patch)) {
      if (value !== '')
        assert.ok(!JSON.stringify([error.message, error.details]).includes(value), 'the value is not quoted');
    }
    return (error.details ?? []).map(({ field }) => field);
  }
}

test('names that mean secrets, and names that only look like it', () => {
  const secret = [
    'password',
    'db.password',
    'DB_PASSWORD',
    'authToken',
    'apiKey',
    'API_KEY',
    'apikey',
    'clientSecret',
    'tls.private-key',
    'aws.secretAccessKey',
    'password2',
    'redis-token',
  ];
  const harmless = [
    'tokenReview',
    'secretName',
    'existingSecret',
    'imagePullSecret',
    'passwordSecretRef',
    'publicKey',
    'tokenTTL',
    'keys',
    'monkey',
    'secretKeyRef',
    'replicaCount',
    'secret.name',
    '',
  ];
  for (const key of secret) assert.ok(isSecretName(key), key);
  for (const key of harmless) assert.ok(!isSecretName(key), key);
});

test('a value with the form of a secret is found under any name, and the right one is named', async () => {
  const patch = {
    a: '1',
    github: 'ghp_abcdefghijklmnopqrstuvwxyz0123456789',
    url: 'postgres://user:hunter2secret@db.example.com/app',
    z: 'plain',
  };
  assert.deepEqual(await problems(patch), ['/patches/app/github', '/patches/app/url']);
});

test('a name that means a secret is enough, unless the value cannot be one', async () => {
  assert.deepEqual(await problems({ adminPassword: 'correct horse' }), ['/patches/app/adminPassword']);
  assert.deepEqual(
    await problems({ automountServiceAccountToken: 'false', password: '', token: '3600s' }),
    [],
  );
});

test('what is there already does not stand in the way of other changes', async () => {
  assert.deepEqual(await problems({ password: 'hunter2', a: '2' }, { password: 'hunter2', a: '1' }), []);
  assert.deepEqual(await problems({ password: 'hunter3' }, { password: 'hunter2' }), [
    '/patches/app/password',
  ]);
});

test('a thousand values are searched in one go, and leave nothing behind in the process', async () => {
  const patch = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`key${n}`, `value ${n}`]));
  assert.deepEqual(await problems({ ...patch, last: 'ghp_abcdefghijklmnopqrstuvwxyz0123456789' }), [
    '/patches/app/last',
  ]);
  assert.equal(performance.getEntriesByType('mark').length, 0);
});
