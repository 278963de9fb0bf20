import { StartupError } from '../../core/errors.ts';
import { refusalOf } from '../api/failures.ts';
import { recordOf } from '../api/pages.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { carryOut } from '../writes/carry-out.ts';
import type { WriteOptions } from '../writes/options.ts';
import { type BulkOperation, changeClusters } from './bulk.ts';
import { assignmentOf } from './create-flags.ts';
import { type ObjectKind, objectPath, type StoredObject } from './kinds.ts';
import { keyValues } from './labels.ts';
import { isSelected, type SelectOptions } from './select.ts';
import { tell } from './write.ts';

export type AssignOptions = WriteOptions & SelectOptions & Readonly<Record<string, unknown>>;

export function assign(kind: ObjectKind, id: string, options: AssignOptions): BulkOperation {
  const how = kind.name === 'component' ? assignmentOf(options) : {};
  return { op: 'assign', kind: kind.apiKind, id, ...how };
}

export function unassign(kind: ObjectKind, id: string): BulkOperation {
  return { op: 'unassign', kind: kind.apiKind, id };
}

/** Another version on the selected clusters; without a tag, the catalogue's again. */
export function setVersion(id: string, tag: string | undefined, options: AssignOptions): BulkOperation {
  const path = options['clusterComponentPath'];
  if (options['catalogue'] === true) {
    if (tag !== undefined || path !== undefined) {
      throw new StartupError('--catalogue takes tag and path back: name neither');
    }
    return { op: 'set', id, oci_tag: null, component_path: null };
  }
  if (tag === undefined && path === undefined) {
    throw new StartupError('say which version: a tag, --cluster-component-path, or --catalogue');
  }
  return {
    op: 'set',
    id,
    ...(tag === undefined ? {} : { oci_tag: tag }),
    ...(path === undefined ? {} : { component_path: path }),
  };
}

/** Values of one component on the selected clusters; the others stay. */
export function patchValues(id: string, set: readonly string[], unset: readonly string[]): BulkOperation {
  const values = { ...keyValues(set), ...Object.fromEntries(unset.map((key) => [key, null])) };
  if (Object.keys(values).length === 0) {
    throw new StartupError('say what to change: --set KEY=VALUE or --unset KEY');
  }
  return { op: 'merge', merge: { patches: { [id]: values } } };
}

/**
 * As flux-resourceset-cli's create with --cluster: the object is made if it is not there, and assigned. Of one that is there, only
 * what the flags name of a namespace is changed.
 */
export async function createAndAssign(
  context: TerminalContext,
  kind: ObjectKind,
  object: StoredObject,
  options: AssignOptions,
): Promise<void> {
  const session = await openSession(context, options);
  const path = objectPath(kind, object.id);
  const there = await session.send({ path });
  if (there.status !== 404 && there.status !== 200) throw refusalOf(there);
  const request =
    there.status === 404
      ? ({ method: 'POST', path: kind.path, body: object } as const)
      : ({ method: 'PUT', path, body: object } as const);
  const isNew = there.status === 404;
  if (isNew || kind.name === 'namespace') {
    // A hash is of the assignment's plan: what creates, or changes values, needs none.
    const { planHash: _ofTheAssignment, ...first } = options;
    const answer = await carryOut(context, session, { request, creates: isNew, reason: true }, first);
    if (answer !== undefined) {
      const told = isNew ? 'created' : answer.headers.etag === there.headers.etag ? 'unchanged' : 'changed';
      tell(context, kind, recordOf(answer), told, options);
    } else if (isNew) {
      // A plan of the assignment would speak of an object that is not there.
      return;
    }
  }
  if (isSelected(options)) {
    await changeClusters(context, [assign(kind, object.id, options)], options, session);
  }
}
