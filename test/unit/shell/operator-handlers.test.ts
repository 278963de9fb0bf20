import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartupError } from '../../../src/core/errors.ts';
import type { Operation, OperationTable } from '../../../src/core/policy/operations.ts';
import { loadContract } from '../../../src/shell/contract.ts';
import { createHandlers, type GivenParts } from '../../../src/shell/http/handlers/handlers.ts';

/** Stands for all that handlers are made of: none of them is asked anything here. */
const anything: unknown = new Proxy(() => undefined, {
  get: (_target, key) => (key === 'then' ? undefined : anything),
  apply: () => anything,
});
const parts = Object.fromEntries(
  (
    'store schemas ratchet health trust loads sightings log metrics revocations audit liveness fleetStatus page tokens refusals ' +
    'recentChains explain progress clock pruneGuard requireIfMatch documentText'
  )
    .split(' ')
    .map((name) => [name, anything]),
) as unknown as GivenParts;

const { operations } = await loadContract();
const known = operations.all.find(({ audience, kind }) => audience === 'operator' && kind === undefined);
const stranger = { ...known, operationId: 'danceAll' };
const withStranger: OperationTable = { ...operations, all: [...operations.all, stranger as Operation] };

test('every operation of the document has a handler', async () => {
  const handlers = await createHandlers(operations, parts, { checked: false });
  for (const { operationId } of operations.all) assert.ok(handlers.get(operationId), operationId);
  assert.equal(handlers.get('danceAll'), undefined);
});

test('a document that was not checked does not start with an operation that no code answers', async () => {
  await assert.rejects(
    createHandlers(withStranger, parts, { checked: false }),
    (error) => error instanceof StartupError && /no handler answers danceAll/.test(error.message),
  );
});

test('of one that was, the code of operators’ routes is loaded in pieces, or at once when somebody asks', async () => {
  const handlers = await createHandlers(operations, parts, { checked: true });
  let rests = 0;
  const go = Promise.withResolvers<void>();
  const rested = Promise.withResolvers<void>();
  let loaded = false;
  const loading = handlers
    .load(() => {
      rests++;
      rested.resolve();
      return go.promise;
    })
    .then(() => {
      loaded = true;
    });
  await rested.promise;
  const answer = handlers
    .get('listClusters')?.({} as never)
    .catch(() => undefined);
  assert.equal(loaded, false);
  go.resolve();
  await loading;
  assert.equal(rests, 1, 'nobody rests while somebody waits');
  await answer;
});

test('an operation that nobody answers fails its own request, and each other one, too: nothing is half there', async () => {
  const handlers = await createHandlers(withStranger, parts, { checked: true });
  await assert.rejects(handlers.load(), StartupError);
  await assert.rejects(handlers.get('danceAll')?.({} as never) ?? Promise.resolve(), StartupError);
});
