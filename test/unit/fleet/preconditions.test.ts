import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FluxgateError } from '../../../src/core/errors.ts';
import {
  changePrecondition,
  creationPrecondition,
  entityTag,
} from '../../../src/core/fleet/preconditions.ts';
import { sampleNamespace } from '../../support/fleet.ts';

const WEB = sampleNamespace('web');
const TAG = entityTag(WEB);
const OTHER = entityTag(sampleNamespace('web', { labels: { team: 'web' } }));

type Outcome = 'passes' | FluxgateError['code'];

function outcome(act: () => void): Outcome {
  try {
    act();
    return 'passes';
  } catch (error) {
    if (!(error instanceof FluxgateError)) throw error;
    assert.match(error.message, /\.$/);
    return error.code;
  }
}

const change = (ifMatch: string | undefined, ifNoneMatch?: string, required = false): Outcome =>
  outcome(() => changePrecondition({ ifMatch, ifNoneMatch }, required)(WEB));

test('a tag is strong, and the same for the same object only', () => {
  assert.match(TAG, /^"[\w-]{43}"$/);
  assert.equal(entityTag(sampleNamespace('web')), TAG);
  assert.notEqual(OTHER, TAG);
});

const CHANGES: readonly [string | undefined, string | undefined, Outcome][] = [
  [undefined, undefined, 'passes'],
  [TAG, undefined, 'passes'],
  ['*', undefined, 'passes'],
  [' * ', undefined, 'passes'],
  [`${OTHER}, ${TAG}`, undefined, 'passes'],
  [`, ,${OTHER} ,,${TAG},`, undefined, 'passes'],
  [`"a,b", ${TAG}`, undefined, 'passes'],
  ['"a,b"', undefined, 'precondition_failed'],
  [OTHER, undefined, 'precondition_failed'],
  [`W/${TAG}`, undefined, 'precondition_failed'],
  ['""', undefined, 'precondition_failed'],
  [TAG.toLowerCase(), undefined, 'precondition_failed'],
  ['', undefined, 'malformed_request'],
  [',', undefined, 'malformed_request'],
  [`*, ${TAG}`, undefined, 'malformed_request'],
  [TAG.slice(1, -1), undefined, 'malformed_request'],
  [TAG.slice(0, -1), undefined, 'malformed_request'],
  [`${TAG} ${TAG}`, undefined, 'malformed_request'],
  [`w/${TAG}`, undefined, 'malformed_request'],
  ['"a b"', undefined, 'malformed_request'],
  [undefined, '*', 'precondition_failed'],
  [undefined, `W/${TAG}`, 'precondition_failed'],
  [undefined, OTHER, 'passes'],
  [TAG, TAG, 'precondition_failed'],
];

for (const [ifMatch, ifNoneMatch, expected] of CHANGES) {
  test(`a change with If-Match: ${ifMatch} and If-None-Match: ${ifNoneMatch}: ${expected}`, () => {
    assert.equal(change(ifMatch, ifNoneMatch), expected);
  });
}

test('a required If-Match that is missing is 428; any that is there is judged as always', () => {
  assert.equal(change(undefined, undefined, true), 'precondition_required');
  assert.equal(change('*', undefined, true), 'passes');
  assert.equal(change(OTHER, undefined, true), 'precondition_failed');
});

test('what is not there matches nothing, not even *', () => {
  const absent = (ifMatch: string): Outcome =>
    outcome(() => changePrecondition({ ifMatch, ifNoneMatch: undefined }, false)(undefined));
  assert.equal(absent('*'), 'precondition_failed');
  assert.equal(absent(TAG), 'precondition_failed');
});

test('a creation asks only whether the id is free', () => {
  const create = (ifMatch: string | undefined, ifNoneMatch: string | undefined, there: boolean): Outcome =>
    outcome(() => creationPrecondition({ ifMatch, ifNoneMatch })(there ? WEB : undefined));
  assert.equal(create(undefined, '*', false), 'passes');
  assert.equal(create(undefined, '*', true), 'precondition_failed');
  assert.equal(create(undefined, undefined, true), 'passes'); // the id is taken: 409, said by the write itself
  assert.equal(create(undefined, TAG, false), 'malformed_request');
  assert.equal(create('*', undefined, false), 'malformed_request');
});
