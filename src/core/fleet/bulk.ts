import type { ErrorDetail } from '../errors.ts';
import { FluxgateError } from '../errors.ts';
import type { FleetReader } from './access.ts';
import { isRecord, pointer } from './canonical.ts';
import { applyMergePatch } from './change.ts';
import { inspectObject } from './check-object.ts';
import type { RawObject } from './kind.ts';
import type { Cluster, Environment } from './objects.ts';
import { listAll, type Pause } from './pause.ts';
import type { ObjectChange } from './plan.ts';
import { TELL_NOBODY, type TellProgress } from './progress.ts';
import { assignmentField } from './registry.ts';
import { boundDetails, type FleetSchemas } from './schemas.ts';

/** One change of many clusters. The shape is openapi.yaml's schema Bulk. */
export interface Bulk {
  readonly select: ClusterSelector;
  readonly operations: readonly BulkOperation[];
}

/** All that is said must be true of a cluster; at least one thing is said. */
export interface ClusterSelector {
  readonly environment?: Environment;
  readonly labels?: Readonly<Record<string, string>>;
  /** Each must be there. */
  readonly ids?: readonly string[];
}

export interface BulkOperation {
  readonly op: 'assign' | 'unassign' | 'enable' | 'disable' | 'set' | 'merge' | 'delete';
  readonly kind?: 'platform_component' | 'namespace' | 'rolebinding';
  readonly id?: string;
  readonly enabled?: boolean;
  readonly oci_tag?: string | null;
  readonly component_path?: string | null;
  /** A JSON Merge Patch of each cluster. */
  readonly merge?: RawObject;
}

/** What each operation needs and takes besides `op`. */
const FIELDS: Readonly<Record<BulkOperation['op'], { needs: readonly string[]; takes: readonly string[] }>> =
  Object.freeze({
    assign: { needs: ['kind', 'id'], takes: ['enabled', 'oci_tag', 'component_path'] },
    unassign: { needs: ['kind', 'id'], takes: [] },
    enable: { needs: ['id'], takes: ['kind'] },
    disable: { needs: ['id'], takes: ['kind'] },
    set: { needs: ['id'], takes: ['kind', 'oci_tag', 'component_path'] },
    merge: { needs: ['merge'], takes: [] },
    delete: { needs: [], takes: [] },
  });

/**
 * What the operations, in their order, make of each selected cluster. `enable`, `disable`, `set` and `unassign` leave a
 * cluster alone that does not assign the object. Throws `validation_error`; then nothing at all is to be changed.
 */
export async function bulkChanges(
  bulk: Bulk,
  schemas: FleetSchemas,
  reader: Pick<FleetReader, 'following' | 'get'>,
  pause: Pause,
  tell: TellProgress = TELL_NOBODY,
): Promise<ObjectChange[]> {
  const problems = bulk.operations.flatMap(checkOperation);
  if (problems.length > 0) throw invalid(problems);
  const changes: ObjectChange[] = [];
  const selected = await selectClusters(bulk.select, reader, pause);
  for (const [index, before] of selected.entries()) {
    tell('comparing', index, selected.length);
    await pause();
    const after = bulk.operations.reduce<Cluster | RawObject | undefined>(applyOperation, before);
    if (after === undefined) {
      changes.push({ kind: 'cluster', id: before.id, before, after: undefined });
      continue;
    }
    const checked = inspectObject('cluster', schemas, after);
    if (checked.ok && checked.object.id === before.id) {
      changes.push({ kind: 'cluster', id: before.id, before, after: checked.object });
    } else {
      const found = checked.ok ? [{ field: '/id', problem: 'must stay as it is' }] : checked.problems;
      problems.push(
        ...found.map(({ field, problem }) => ({ field: `/clusters/${before.id}${field}`, problem })),
      );
    }
  }
  if (problems.length > 0) throw invalid(problems);
  return changes;
}

async function selectClusters(
  { environment, labels, ids }: ClusterSelector,
  reader: Pick<FleetReader, 'following' | 'get'>,
  pause: Pause,
): Promise<readonly Cluster[]> {
  // Labels that name none say nothing: every cluster has them.
  const hasNoLabels = Object.keys(labels ?? {}).length === 0;
  if (environment === undefined && hasNoLabels && ids === undefined) {
    const problem = 'must say which clusters: environment, labels or ids';
    throw invalid([{ field: '/select', problem }]);
  }
  const wanted = ids === undefined ? undefined : new Set(ids);
  const items =
    wanted === undefined
      ? await listAll('cluster', reader, pause, environment === undefined ? {} : { environment })
      : await named(wanted, reader, pause);
  const selected = items.filter(
    (cluster) =>
      (environment === undefined || cluster.environment === environment) && hasLabels(cluster, labels ?? {}),
  );
  if (wanted !== undefined && selected.length < wanted.size) {
    const found = new Set(selected.map(({ id }) => id));
    const missing = (ids ?? []).flatMap((id, index): ErrorDetail[] => {
      const problem = `"${id}" is not there, or is not of this environment and these labels`;
      return found.has(id) ? [] : [{ field: pointer('select', 'ids', index), problem }];
    });
    throw invalid(missing);
  }
  if (selected.length === 0) throw invalid([{ field: '/select', problem: 'selects no cluster' }]);
  return selected;
}

/** Those that are there, by id. */
async function named(
  ids: ReadonlySet<string>,
  reader: Pick<FleetReader, 'get'>,
  pause: Pause,
): Promise<readonly Cluster[]> {
  const found: Cluster[] = [];
  for (const id of [...ids].sort()) {
    const cluster = await reader.get('cluster', id);
    if (cluster !== undefined) found.push(cluster);
    await pause();
  }
  return found;
}

function hasLabels({ labels = {} }: Cluster, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

function checkOperation(operation: BulkOperation, index: number): ErrorDetail[] {
  const { needs, takes } = FIELDS[operation.op];
  const at = (field: string): string => pointer('operations', index, field);
  const problems: ErrorDetail[] = [];
  for (const name of needs) {
    if (!Object.hasOwn(operation, name))
      problems.push({ field: at(name), problem: `is required to ${operation.op}` });
  }
  for (const name of Object.keys(operation)) {
    if (name === 'op' || needs.includes(name) || takes.includes(name)) continue;
    problems.push({ field: at(name), problem: `means nothing to ${operation.op}: leave it out` });
  }
  const isComponents = operation.kind === undefined || operation.kind === 'platform_component';
  if (!isComponents && operation.op !== 'assign' && operation.op !== 'unassign') {
    problems.push({ field: at('kind'), problem: `must be platform_component to ${operation.op}` });
  }
  if (!isComponents && operation.op === 'assign') {
    for (const name of takes) {
      if (!Object.hasOwn(operation, name)) continue;
      problems.push({ field: at(name), problem: 'is for platform components only: leave it out' });
    }
  }
  return problems;
}

/** `cluster` is a whole document, valid or not yet. */
function applyOperation(
  cluster: Cluster | RawObject | undefined,
  operation: BulkOperation,
): Cluster | RawObject | undefined {
  if (cluster === undefined || operation.op === 'delete') return undefined;
  const current = cluster as Cluster;
  if (operation.op === 'merge') return applyMergePatch('cluster', current, operation.merge);
  const list = assignmentField(operation.kind ?? 'platform_component');
  const entries = (current[list] as readonly unknown[]).filter(isRecord);
  const isIt = ({ id }: RawObject): boolean => id === operation.id;
  const changed = (change: (entry: RawObject) => RawObject): RawObject =>
    applyMergePatch('cluster', current, {
      [list]: entries.map((entry) => (isIt(entry) ? change(entry) : entry)),
    });
  switch (operation.op) {
    case 'unassign':
      return applyMergePatch('cluster', current, { [list]: entries.filter((entry) => !isIt(entry)) });
    case 'enable':
    case 'disable':
      return changed((entry) => ({ ...entry, enabled: operation.op === 'enable' }));
    case 'set':
      return changed((entry) => ({ ...entry, ...own(operation) }));
    case 'assign': {
      if (entries.some(isIt)) return changed((entry) => ({ ...entry, ...own(operation) }));
      const fresh = list === 'platform_components' ? { enabled: true } : {};
      return applyMergePatch('cluster', current, {
        [list]: [...entries, { id: operation.id, ...fresh, ...own(operation) }],
      });
    }
  }
}

/** What an assignment says of itself; null: what the catalogue says. */
function own(operation: BulkOperation): RawObject {
  const names = ['enabled', 'oci_tag', 'component_path'] as const;
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(operation, name)).map((name) => [name, operation[name]]),
  );
}

function invalid(problems: readonly ErrorDetail[]): FluxgateError {
  const message = 'The bulk change cannot be carried out, and nothing was changed: see details.';
  return new FluxgateError('validation_error', message, { details: boundDetails(problems) });
}
