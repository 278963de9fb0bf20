import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { mintCa } from '../../certs-dev/mint.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { within } from '../support/kept-open.ts';
import type { MintedChain } from '../support/pki.ts';
import { certificateSha256, postRevocation } from '../support/revocations.ts';

/** As another process that writes: whoever else wants to, waits. */
function lockStore({ directory }: TestGateway): () => void {
  const other = new SqliteDatabase(join(directory, 'fleet.db'));
  other.exec('BEGIN IMMEDIATE');
  return () => {
    other.exec('ROLLBACK');
    other.close();
  };
}

interface Stage {
  readonly gateway: TestGateway;
  readonly insider: MintedChain;
  /** A write by the insider that waits for its turn, and another behind it. */
  readonly waiting: Promise<number[]>;
  readonly unlock: () => void;
  readonly fleet: string;
}

async function setStage(t: TestContext): Promise<Stage> {
  const gateway = await startTestGateway(t);
  const insider = await gateway.pki.operator('insider@example.com');
  const fleet = await gateway.fleet();
  const unlock = lockStore(gateway);
  const write = async (id: string): Promise<number> =>
    (await gateway.send({ method: 'POST', path: '/namespaces', certificate: insider, body: { id } })).status;
  const waiting = Promise.all([write('first'), write('second')]);
  // Answered after them on this one thread: by then both are let in, and in line.
  for (let turn = 0; turn < 3; turn++) {
    assert.equal((await gateway.send({ path: '/namespaces', certificate: insider })).status, 200);
  }
  return { gateway, insider, waiting, unlock, fleet };
}

describe('a write that waits for the store', () => {
  it('changes nothing where its author is revoked meanwhile; the revocation is in force before the store has it', async (t) => {
    const { gateway, insider, waiting, unlock, fleet } = await setStage(t);
    const target = { certificate_sha256: certificateSha256(insider.pem), reason: 'insider' };
    const revocation = postRevocation(gateway, target);
    const refused = async (): Promise<void> => {
      while ((await gateway.send({ path: '/health', certificate: insider })).status !== 495) await pause(20);
    };
    await within(1_000, refused(), 'in force while the store is busy');
    unlock();
    assert.equal((await revocation).status, 201);
    assert.deepEqual(await waiting, [495, 495]);
    assert.equal(await gateway.fleet(), fleet);
  });

  it('makes and revokes no token, lifts no revocation and forgets no key where its author is revoked meanwhile', async (t) => {
    const gateway = await startTestGateway(t);
    const insider = await gateway.pki.operator('insider@example.com');
    const dns = 'demo-cluster-01.k8s.example.com';
    const certificate = await gateway.pki.cluster(dns);
    await gateway.send({ path: `/api/v2/flux/clusters/${dns}/namespaces`, certificate });
    const earlier = await postRevocation(gateway, { certificate_sha256: 'ab'.repeat(32), reason: 'earlier' });
    const { id } = earlier.json<{ id: string }>();
    const order = { kind: 'operator', roles: ['admin'], ttl: 3_600 };
    const kept = await gateway.send({
      method: 'POST',
      path: '/tokens',
      token: WRITE_TOKEN,
      body: { name: 'kept', ...order },
    });
    const unlock = lockStore(gateway);
    const waiting = Promise.all(
      [
        { method: 'POST', path: '/tokens', body: { name: 'heir', ...order } },
        { method: 'DELETE', path: `/tokens/${kept.json<{ id: string }>().id}` },
        { method: 'DELETE', path: `/revocations/${id}` },
        { method: 'DELETE', path: `/trust/pins/${dns}` },
      ].map(async (request) => (await gateway.send({ ...request, certificate: insider })).status),
    );
    for (let turn = 0; turn < 3; turn++) await gateway.send({ path: '/namespaces', certificate: insider });
    const target = { certificate_sha256: certificateSha256(insider.pem), reason: 'insider' };
    const revocation = postRevocation(gateway, target);
    while ((await gateway.send({ path: '/health', certificate: insider })).status !== 495) await pause(20);
    unlock();
    assert.equal((await revocation).status, 201);
    assert.deepEqual(await waiting, [495, 495, 495, 495]);
    const list = async <T>(path: string): Promise<T[]> =>
      (await gateway.send({ path, token: WRITE_TOKEN })).json<T[]>();
    const tokens = await list<{ name: string; state: string }>('/tokens');
    assert.deepEqual(
      tokens.map(({ name, state }) => [name, state]),
      [['kept', 'live']],
    );
    const revocations = await list<{ id: string; state: string }>('/revocations');
    assert.equal(revocations.find((one) => one.id === id)?.state, 'in_force');
  });

  it('is refused by a token from the moment on that it is revoked, and leaves no heir; a token may end itself', async (t) => {
    const gateway = await startTestGateway(t);
    const make = async (name: string): Promise<{ id: string; token: string }> => {
      const body = { name, kind: 'operator', roles: ['admin'], ttl: 3_600 };
      return (await gateway.send({ method: 'POST', path: '/tokens', token: WRITE_TOKEN, body })).json();
    };
    const insider = await make('insider');
    const unlock = lockStore(gateway);
    const body = { name: 'heir', kind: 'operator', roles: ['viewer'], ttl: 600 };
    const heir = gateway.send({ method: 'POST', path: '/tokens', token: insider.token, body });
    for (let turn = 0; turn < 3; turn++) await gateway.send({ path: '/namespaces', token: insider.token });
    const revoked = gateway.send({ method: 'DELETE', path: `/tokens/${insider.id}`, token: WRITE_TOKEN });
    const refused = async (): Promise<void> => {
      while ((await gateway.send({ path: '/namespaces', token: insider.token })).status !== 401)
        await pause(20);
    };
    await within(1_000, refused(), 'refused while the store is busy');
    unlock();
    assert.deepEqual([(await revoked).status, (await heir).status], [200, 401]);
    const other = await make('other');
    const own = { method: 'DELETE', path: `/tokens/${other.id}`, token: other.token };
    assert.equal((await gateway.send(own)).status, 200);
    assert.equal((await gateway.send({ path: '/namespaces', token: other.token })).status, 401);
  });

  it('changes nothing where its CA is removed meanwhile', async (t) => {
    const { gateway, waiting, unlock, fleet } = await setStage(t);
    await writeFile(join(gateway.directory, 'operator-ca.crt'), (await mintCa('other operators')).pem);
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    unlock();
    assert.deepEqual(await waiting, [495, 495]);
    assert.equal(await gateway.fleet(), fleet);
  });

  it('changes nothing where its token is no longer one', async (t) => {
    const gateway = await startTestGateway(t, {
      prepare: async (directory) => {
        await writeFile(join(directory, 'tokens'), `${WRITE_TOKEN}\n`);
        return { CRUD_AUTH_TOKEN_FILE: join(directory, 'tokens') };
      },
      environment: { CRUD_AUTH_TOKEN: undefined },
    });
    const fleet = await gateway.fleet();
    const unlock = lockStore(gateway);
    const body = { id: 'by-token' };
    const waiting = gateway.send({ method: 'POST', path: '/namespaces', token: WRITE_TOKEN, body });
    for (let turn = 0; turn < 3; turn++) await gateway.send({ path: '/namespaces', token: WRITE_TOKEN });
    await writeFile(join(gateway.directory, 'tokens'), 'another-write-token-of-this-test\n');
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    unlock();
    assert.equal((await waiting).status, 401);
    await writeFile(join(gateway.directory, 'tokens'), `${WRITE_TOKEN}\n`);
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    assert.equal(await gateway.fleet(), fleet);
  });

  it('is carried out where nothing is taken from its author', async (t) => {
    const { gateway, waiting, unlock } = await setStage(t);
    unlock();
    assert.deepEqual(await waiting, [201, 201]);
    assert.equal((await gateway.send({ path: '/namespaces/second', token: WRITE_TOKEN })).status, 200);
  });
});
