import { StartupError } from '../../core/errors.ts';
import { refusalOf } from '../api/failures.ts';
import { recordOf } from '../api/pages.ts';
import { openSession, type Session } from '../api/session.ts';
import type { ApiAnswer } from '../api/transport.ts';
import type { TerminalContext } from '../context.ts';
import { jsonText, yamlText } from '../output/documents.ts';
import { shown } from '../output/text.ts';
import { carryOut } from '../writes/carry-out.ts';
import type { WriteOptions } from '../writes/options.ts';
import { parseValue, type ReadDocument, readDocuments, readValue } from './documents-in.ts';
import { type ObjectKind, objectPath, type StoredObject } from './kinds.ts';
import { assertKeyIsOfOne, oneByOne, type Turn } from './one-by-one.ts';

type Told = 'created' | 'changed' | 'unchanged' | 'deleted';

/** For people one line; for programs the object. */
export function tell(
  context: TerminalContext,
  kind: ObjectKind,
  object: Readonly<Record<string, unknown>>,
  what: Told,
  { output }: WriteOptions,
): void {
  const name = `${kind.name}/${shown(String(object['id']))}`;
  if (output === 'json') context.print(jsonText(object));
  else if (output === 'yaml') context.print(yamlText(object));
  else context.print(output === 'name' ? name : `${name} ${what}`);
}

/** Each document of -f, or the one object that the flags describe. */
export async function createObjects(
  context: TerminalContext,
  kind: ObjectKind,
  documents: readonly ReadDocument[],
  options: WriteOptions,
): Promise<void> {
  const session = await openSession(context, options);
  assertKeyIsOfOne(options, documents.length);
  await oneByOne(turnsOf(kind, documents), async ({ object }) => {
    const request = { method: 'POST', path: kind.path, body: object } as const;
    const write = { request, creates: true, reason: true, among: documents.length };
    const answer = await carryOut(context, session, write, options);
    if (answer !== undefined) tell(context, kind, recordOf(answer), 'created', options);
    return answer !== undefined;
  });
}

/** Each object becomes what its document names: created where it is not there; what the document does not name stays. */
export async function applyObjects(
  context: TerminalContext,
  kind: ObjectKind,
  options: WriteOptions & { readonly filename: readonly string[] },
): Promise<void> {
  const documents = await readDocuments(context, options.filename);
  const session = await openSession(context, options);
  assertKeyIsOfOne(options, documents.length);
  await oneByOne(turnsOf(kind, documents), async ({ object }) => {
    const { answer, told } = await applyOne(context, session, kind, object, options, documents.length);
    if (answer !== undefined) tell(context, kind, recordOf(answer), told, options);
    return answer !== undefined && told !== 'unchanged';
  });
}

async function applyOne(
  context: TerminalContext,
  session: Session,
  kind: ObjectKind,
  object: StoredObject,
  options: WriteOptions,
  among: number,
): Promise<{ readonly answer: ApiAnswer | undefined; readonly told: Told }> {
  const path = objectPath(kind, object.id);
  const there = await session.send({ path });
  if (there.status === 404) {
    const request = { method: 'POST', path: kind.path, body: object } as const;
    const write = { request, creates: true, reason: true, among };
    return { answer: await carryOut(context, session, write, options), told: 'created' };
  }
  if (there.status !== 200) throw refusalOf(there);
  const request = { method: 'PUT', path, body: object } as const;
  const etag = there.headers.etag;
  const read = etag === undefined ? options : { ...options, ifMatch: etag };
  const answer = await carryOut(context, session, { request, reason: true, among }, read);
  return { answer, told: answer?.headers.etag === etag ? 'unchanged' : 'changed' };
}

const turnsOf = (kind: ObjectKind, documents: readonly ReadDocument[]): readonly Turn<StoredObject>[] =>
  documents.map(({ object, file }) => ({ object, file, name: `${kind.name}/${object.id}` }));

/** A JSON Merge Patch, as JSON or YAML. */
export async function patchObject(
  context: TerminalContext,
  kind: ObjectKind,
  id: string,
  options: WriteOptions & {
    readonly patch?: string;
    readonly filename?: string;
    readonly allowSuspectedSecrets?: boolean;
  },
): Promise<void> {
  const body = await patchOf(context, options);
  const session = await openSession(context, options);
  const request = {
    method: 'PATCH',
    path: objectPath(kind, id),
    body,
    headers: { 'allow-suspected-secrets': options.allowSuspectedSecrets === true ? 'true' : undefined },
  } as const;
  const answer = await carryOut(context, session, { request, reason: true }, options);
  if (answer !== undefined) tell(context, kind, recordOf(answer), 'changed', options);
}

async function patchOf(
  context: TerminalContext,
  { patch, filename }: { readonly patch?: string; readonly filename?: string },
): Promise<unknown> {
  if (patch !== undefined && filename === undefined) return parseValue('--patch', patch);
  if (filename !== undefined && patch === undefined) return await readValue(context, filename);
  throw new StartupError('say what to change: --patch \'{"field": "value"}\' or -f FILE, one of them');
}

export async function deleteObjects(
  context: TerminalContext,
  kind: ObjectKind,
  ids: readonly string[],
  options: WriteOptions & { readonly detach?: boolean },
): Promise<void> {
  const session = await openSession(context, options);
  const turns = ids.map((id) => ({ object: id, name: `${kind.name}/${id}` }));
  await oneByOne(turns, async ({ object: id }) => {
    const query = { detach: options.detach === true ? true : undefined };
    const request = { method: 'DELETE', path: objectPath(kind, id), query } as const;
    const write = { request, reason: true, among: ids.length };
    const answer = await carryOut(context, session, write, options);
    if (answer !== undefined) tell(context, kind, recordOf(answer), 'deleted', options);
    return answer !== undefined;
  });
}
