import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, STATUS_OF } from '../../../src/core/errors.ts';
import { FLEET_KINDS, kindDefinition } from '../../../src/core/fleet/registry.ts';
import { type Operation, readOperations } from '../../../src/core/policy/operations.ts';
import { DOCUMENT, documentedOperation, resolve } from './document.ts';

const CODES = Object.keys(STATUS_OF) as ErrorCode[];

test('the error codes of the document are the codes of the gateway', () => {
  assert.deepEqual(DOCUMENT.components.schemas.Error?.properties?.error?.enum, CODES);
});

/** What can go wrong with a request of this operation, from the contract's table of statuses. */
function possible({ audience, method, path, operationId }: Operation): ErrorCode[] {
  const writes = method !== 'GET';
  const hasBody = documentedOperation(path, method).requestBody !== undefined;
  const named = path.includes('{');
  const anywhere: ErrorCode[] = [
    'malformed_request',
    'validation_error',
    'request_timeout',
    'misdirected_request',
    'rate_limited',
    'headers_too_large',
    'certificate_rejected',
    'unavailable',
  ];
  const when = (applies: boolean, ...codes: ErrorCode[]): ErrorCode[] => (applies ? codes : []);
  return [
    ...anywhere,
    // Where certificates are required, all but the probes need one.
    ...when(audience !== 'public' || operationId === 'getOpenapi', 'unauthenticated'),
    ...when(audience !== 'public', 'forbidden'),
    // Nothing of that name; or an operator route that reads, in read-only mode.
    ...when(named || operationId === 'explain' || (audience === 'operator' && !writes), 'not_found'),
    // What a cluster reports is taken in read-only mode, too, and is in conflict with nothing.
    ...when(writes && audience === 'operator', 'method_not_allowed'),
    // What is asked about trust is asked of memory: there is nothing to be in conflict with.
    ...when(
      writes &&
        audience === 'operator' &&
        !path.startsWith('/trust') &&
        !['explain', 'signInOnPage', 'signOut'].includes(operationId),
      'conflict',
    ),
    ...when(method === 'DELETE' && !path.startsWith('/trust'), 'in_use'),
    ...when(writes && onObjects(path), 'precondition_failed'),
    ...when(writes && onObjects(path) && path.includes('/{id}'), 'precondition_required'),
    ...when(hasBody, 'payload_too_large', 'unsupported_media_type'),
  ];
}

/** The collections and objects of the registry's kinds: what has an ETag. */
const onObjects = (path: string): boolean =>
  FLEET_KINDS.some((kind) => path.split('/')[1] === kindDefinition(kind).collection);

for (const operation of readOperations(DOCUMENT).all) {
  test(`${operation.operationId} documents every error that it can answer, and no other`, () => {
    const documented = Object.keys(documentedOperation(operation.path, operation.method).responses)
      .map(Number)
      .filter((status) => status >= 400);
    const expected = [...new Set(possible(operation).map((code) => STATUS_OF[code]))].sort((a, b) => a - b);
    assert.deepEqual(documented, expected);
  });
}

test('each documented error is of the schema Error, and its examples have codes of its status', () => {
  const seen = new Set<string>();
  for (const { path, method } of readOperations(DOCUMENT).all) {
    for (const [status, response] of Object.entries(documentedOperation(path, method).responses)) {
      if (Number(status) < 400) continue;
      const media = resolve(response).content?.['application/json'];
      assert.equal(media?.schema.$ref, '#/components/schemas/Error');
      const examples = Object.entries(media?.examples ?? {});
      assert.notEqual(examples.length, 0, `${status} has an example`);
      for (const [, { value }] of examples) {
        const { error, message } = value as { error: ErrorCode; message: string };
        assert.equal(STATUS_OF[error], Number(status), `${method} ${path} ${status}: ${error}`);
        assert.match(message, /\.$/);
        seen.add(error);
      }
    }
  }
  assert.deepEqual([...seen].sort(), [...CODES].sort(), 'every code has an example');
});
