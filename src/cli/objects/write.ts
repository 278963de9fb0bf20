import { StartupError } from '../../core/errors.ts';
import { refusalOf } from '../api/failures.ts';
import { recordOf } from '../api/pages.ts';
import { openSession, type Session } from '../api/session.ts';
import { CommandFailed, type TerminalContext } from '../context.ts';
import { jsonText, yamlText } from '../output/documents.ts';
import { shown } from '../output/text.ts';
import { carryOut } from '../writes/carry-out.ts';
import type { WriteOptions } from '../writes/options.ts';
import { parseValue, readDocuments, readValue } from './documents-in.ts';
import { type ObjectKind, objectPath, type StoredObject } from './kinds.ts';

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
  objects: readonly StoredObject[],
  options: WriteOptions,
): Promise<void> {
  const session = await openSession(context, options);
  for (const body of objects) {
    const request = { method: 'POST', path: kind.path, body } as const;
    // One key names one request.
    const { idempotencyKey: _ofOne, ...several } = options;
    const own = objects.length === 1 ? options : several;
    const answer = await carryOut(context, session, { request, creates: true, reason: true }, own);
    if (answer !== undefined) tell(context, kind, recordOf(answer), 'created', options);
  }
}

/** Each object becomes what its document names: created where it is not there; what the document does not name stays. */
export async function applyObjects(
  context: TerminalContext,
  kind: ObjectKind,
  options: WriteOptions & { readonly filename: readonly string[] },
): Promise<void> {
  const objects = await readDocuments(context, options.filename);
  const session = await openSession(context, options);
  let different = false;
  for (const object of objects) {
    try {
      await applyOne(context, session, kind, object, options);
    } catch (error) {
      // --diff: all of them are shown, and then it is told that something is different.
      if (!(error instanceof CommandFailed) || error.message !== '') throw error;
      different = true;
    }
  }
  if (different) throw new CommandFailed('');
}

async function applyOne(
  context: TerminalContext,
  session: Session,
  kind: ObjectKind,
  object: StoredObject,
  options: WriteOptions,
): Promise<void> {
  const path = objectPath(kind, object.id);
  const there = await session.send({ path });
  if (there.status === 404) {
    const request = { method: 'POST', path: kind.path, body: object } as const;
    const answer = await carryOut(context, session, { request, creates: true, reason: true }, options);
    if (answer !== undefined) tell(context, kind, recordOf(answer), 'created', options);
    return;
  }
  if (there.status !== 200) throw refusalOf(there);
  const request = { method: 'PUT', path, body: object } as const;
  const etag = there.headers.etag;
  const answer = await carryOut(
    context,
    session,
    { request, reason: true },
    etag === undefined ? options : { ...options, ifMatch: etag },
  );
  if (answer === undefined) return;
  tell(context, kind, recordOf(answer), answer.headers.etag === etag ? 'unchanged' : 'changed', options);
}

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
  for (const id of ids) {
    const query = { detach: options.detach === true ? true : undefined };
    const request = { method: 'DELETE', path: objectPath(kind, id), query } as const;
    const answer = await carryOut(context, session, { request, reason: true }, options);
    if (answer !== undefined) tell(context, kind, recordOf(answer), 'deleted', options);
  }
}
