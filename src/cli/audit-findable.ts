import { StartupError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import { readOperations } from '../core/policy/operations.ts';
import { readChecked } from '../shell/checked.ts';
import { listCommand } from './api/failures.ts';
import { clusterMeant, objectMeant } from './api/meant.ts';
import { segment } from './api/path.ts';
import type { ApiRequest, SendRequest } from './api/transport.ts';
import { CommandFailed } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { shown } from './output/text.ts';

/** By the kinds that an entry's object can have (docs/audit.md): where the gateway lists them. */
const COLLECTIONS: Readonly<Record<string, string>> = Object.freeze({
  cluster: '/clusters',
  platform_component: '/platform_components',
  namespace: '/namespaces',
  rolebinding: '/rolebindings',
  revocation: '/revocations',
  token: '/tokens',
  plan: '/plans',
  cluster_dns: '/clusters',
});

/** What an entry has for a request that no operation answers. */
const NO_OPERATION = 'none';

export interface AuditNames {
  readonly object: string | undefined;
  readonly operation: string | undefined;
}

/**
 * To be called where nothing was found: a name by which there is no entry at all, and of which nothing else is known, is a slip, and to
 * wait for it would be to wait for ever. Throws CommandFailed with the one that may have been meant.
 */
export async function assertFindable(send: SendRequest, { object, operation }: AuditNames): Promise<void> {
  if (operation !== undefined && !(await hasEntries(send, { operation }))) await assertOperation(operation);
  if (object !== undefined && !(await hasEntries(send, { object }))) await assertObject(send, object);
}

async function hasEntries(send: SendRequest, query: ApiRequest['query']): Promise<boolean> {
  const { status, body } = await send({ path: '/audit', query: { ...query, limit: 1 } });
  // Whatever else it says, it says nothing against the name.
  return status !== 200 || !Array.isArray(body) || body.length > 0;
}

async function assertOperation(operation: string): Promise<void> {
  const names = [...(await operationIds()), NO_OPERATION];
  if (names.length === 1 || names.includes(operation)) return;
  const near = nearest(operation, names);
  throw slip(`there is no operation ${shown(operation)}${meant(near)} (openapi.yaml: operationId)`);
}

/** None where the installation has lost the file: it refuses nothing then. */
async function operationIds(): Promise<readonly string[]> {
  try {
    return readOperations((await readChecked()).document).all.map(({ operationId }) => operationId);
  } catch (error) {
    if (error instanceof StartupError) return [];
    throw error;
  }
}

async function assertObject(send: SendRequest, object: string): Promise<void> {
  const [kind = ''] = object.split('/', 1);
  const id = object.slice(kind.length + 1);
  const collection = Object.hasOwn(COLLECTIONS, kind) ? COLLECTIONS[kind] : undefined;
  if (collection === undefined) {
    const kinds = Object.keys(COLLECTIONS);
    throw slip(`${shown(kind)} is no kind of object${meant(nearest(kind, kinds))} (${kinds.join(', ')})`);
  }
  const byDns = kind === 'cluster_dns';
  const { status, body } = await send(
    byDns ? { path: collection, query: { cluster_dns: id } } : { path: `${collection}/${segment(id)}` },
  );
  const isNobody = status === 404 || status === 400 || (byDns && Array.isArray(body) && body.length === 0);
  if (!isNobody) return;
  const near =
    kind === 'cluster'
      ? await clusterMeant(send, id, true)
      : await objectMeant(send, collection, id, byDns ? 'cluster_dns' : 'id');
  const list = listCommand(collection);
  throw slip(
    `no entry is about ${shown(object)}, and nothing of that name is there${meant(near && `${kind}/${near}`)}${list}`,
  );
}

const meant = (near: string | undefined): string => (near === undefined ? '' : `; is ${shown(near)} meant?`);

const slip = (message: string): CommandFailed => new CommandFailed(message, undefined, EXIT.notFound);
