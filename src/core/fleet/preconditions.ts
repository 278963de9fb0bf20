import { hash } from 'node:crypto';
import { FluxgateError } from '../errors.ts';
import type { FleetObject } from './objects.ts';

/** RFC 9110 §13 for the objects of the operator routes: whoever says which version was read never overwrites another's. */

/** What the request says, as it came in; undefined: the header is absent. */
export interface ConditionalHeaders {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** Throws unless the write may go on. `current` undefined: there is no such object (a creation). */
export type Precondition = (current: FleetObject | undefined) => void;

interface EntityTag {
  readonly weak: boolean;
  /** With its quotes. */
  readonly opaque: string;
}

type Condition = '*' | readonly EntityTag[];

/** RFC 9110 §8.8.3. */
const ENTITY_TAG = /^(?<weak>W\/)?(?<opaque>"[\x21\x23-\x7e\x80-\xff]*")$/;

/**
 * Strong: the hash of the very octets that GET answers with. The same object has the same tag, also after it was changed and
 * changed back: what was read is then what is there again.
 */
export function entityTag(object: FleetObject): string {
  return entityTagOfText(JSON.stringify(object));
}

/** `text`: the object, as GET answers with it. */
export function entityTagOfText(text: string): string {
  return `"${hash('sha256', text, 'base64url')}"`;
}

/** For PUT, PATCH and DELETE. Throws at once where a header is malformed, or missing although it is `required`. */
export function changePrecondition(headers: ConditionalHeaders, required: boolean): Precondition {
  if (headers.ifMatch === undefined && required) {
    throw new FluxgateError(
      'precondition_required',
      'Say which version you change: GET the object, and send its ETag as If-Match, or * for any version.',
    );
  }
  const match = parseCondition('If-Match', headers.ifMatch);
  const noneMatch = parseCondition('If-None-Match', headers.ifNoneMatch);
  return (current) => {
    if (match === undefined && noneMatch === undefined) return;
    const tag = current === undefined ? undefined : entityTag(current);
    if (match !== undefined && !matches(match, tag, strongly)) throw changedMeanwhile();
    if (noneMatch !== undefined && matches(noneMatch, tag, weakly)) {
      throw new FluxgateError(
        'precondition_failed',
        'The object matches If-None-Match. Nothing was changed.',
      );
    }
  };
}

/** For POST, of which the only question is whether the id is free. */
export function creationPrecondition(headers: ConditionalHeaders): Precondition {
  if (headers.ifMatch !== undefined) {
    throw malformed('If-Match', 'cannot be used to create: it names a version of what is there already');
  }
  const noneMatch = parseCondition('If-None-Match', headers.ifNoneMatch);
  if (noneMatch !== undefined && noneMatch !== '*') {
    throw malformed('If-None-Match', 'can only be * to create: the object must not be there yet');
  }
  return (current) => {
    if (noneMatch === undefined || current === undefined) return;
    throw new FluxgateError(
      'precondition_failed',
      'An object of this id is there already, and If-None-Match: * forbids that. Nothing was changed.',
    );
  };
}

/** An object that is not there matches nothing, not even `*`. */
function matches(
  condition: Condition,
  tag: string | undefined,
  equal: (a: EntityTag, tag: string) => boolean,
): boolean {
  if (tag === undefined) return false;
  return condition === '*' || condition.some((candidate) => equal(candidate, tag));
}

/** RFC 9110 §8.8.3.2; ours are never weak. */
const strongly = (candidate: EntityTag, tag: string): boolean => !candidate.weak && candidate.opaque === tag;
const weakly = (candidate: EntityTag, tag: string): boolean => candidate.opaque === tag;

/** A comma may stand inside a tag's quotes, and list elements may be empty (RFC 9110 §5.6.1). */
function parseCondition(name: string, header: string | undefined): Condition | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  const tags: EntityTag[] = [];
  for (const element of header.match(/(?:[^",]|"[^"]*"?)+/g) ?? []) {
    if (element.trim() === '') continue;
    const groups = ENTITY_TAG.exec(element.trim())?.groups;
    if (groups?.['opaque'] === undefined) throw malformed(name, 'must be * or a list of quoted ETags');
    tags.push({ weak: groups['weak'] !== undefined, opaque: groups['opaque'] });
  }
  if (tags.length === 0) throw malformed(name, 'must be * or a list of quoted ETags');
  return tags;
}

function malformed(name: string, problem: string): FluxgateError {
  return new FluxgateError('malformed_request', `The header ${name} ${problem}.`);
}

function changedMeanwhile(): FluxgateError {
  return new FluxgateError(
    'precondition_failed',
    'The object is not the version that If-Match names: somebody changed it meanwhile. GET it again, and decide again.',
  );
}
