import type { PlanSummary } from '../../core/fleet/plan-summary.ts';
import { refusalOf } from '../api/failures.ts';
import { clusterMeant, objectMeant } from '../api/meant.ts';
import { listed, recordOf } from '../api/pages.ts';
import { openSession, type Session } from '../api/session.ts';
import { CommandFailed, type TerminalContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText, yamlText } from '../output/documents.ts';
import { counted, shown } from '../output/text.ts';
import { carryOut } from '../writes/carry-out.ts';
import type { WriteOptions } from '../writes/options.ts';
import {
  CLUSTERS,
  COMPONENTS,
  NAMESPACES,
  type ObjectKind,
  objectPath,
  ROLEBINDINGS,
  type StoredObject,
} from './kinds.ts';
import { type ClusterSelector, type SelectOptions, selectorOf } from './select.ts';

/** As openapi.yaml has it under BulkOperation. */
export interface BulkOperation {
  readonly op: 'assign' | 'unassign' | 'enable' | 'disable' | 'set' | 'merge';
  readonly [field: string]: unknown;
}

/** Clusters that are asked for one by one before; the gateway refuses whoever is not there in any case. */
const NAMED_MAX = 20;

/** One transaction, one plan, one revision. What takes something away is shown first, and what changes clusters that are selected rather than named. */
export async function changeClusters(
  context: TerminalContext,
  operations: readonly BulkOperation[],
  options: WriteOptions & SelectOptions,
  session?: Session,
): Promise<void> {
  const select = selectorOf(options);
  const gateway = session ?? (await openSession(context, options));
  for (const operation of operations) await assertKnown(gateway, operation);
  const named = options.cluster ?? [];
  if (named.length <= NAMED_MAX) for (const id of named) await assertThere(gateway, CLUSTERS, id);
  const answer = await carryOut(
    context,
    gateway,
    {
      request: { method: 'POST', path: '/bulk', body: { select, operations } },
      creates: true,
      reason: true,
      planFirst:
        options.environment !== undefined ||
        options.selector !== undefined ||
        operations.some(({ op }) => op === 'unassign' || op === 'disable'),
      what: 'the gateway changes clusters',
      tellsProgress: true,
    },
    options,
  );
  if (answer === undefined) return;
  const outcome = recordOf(answer);
  if (revisionOf(outcome) === undefined) {
    for (const operation of operations) await assertAssigned(gateway, operation, select);
  }
  tellOutcome(context, outcome, options);
}

/** A misspelt id would change nothing and look like success, or be refused cluster by cluster. */
async function assertKnown(gateway: Session, operation: BulkOperation): Promise<void> {
  const kind = [NAMESPACES, ROLEBINDINGS].find((one) => one.apiKind === operation['kind']) ?? COMPONENTS;
  for (const id of idsOf(operation)) await assertThere(gateway, kind, id);
}

/** It is said at once, with the id that may have been meant. */
async function assertThere({ send }: Session, kind: ObjectKind, id: string): Promise<void> {
  const answer = await send({ path: objectPath(kind, id) });
  if (answer.status === 200) return;
  // What is no id at all (400) is nobody's either.
  if (answer.status !== 404 && answer.status !== 400) throw refusalOf(answer);
  const near =
    kind === CLUSTERS ? await clusterMeant(send, id, true) : await objectMeant(send, kind.path, id);
  const meant = near === undefined ? '' : `; is ${near} meant?`;
  const whole = kind === CLUSTERS ? 'fleet' : 'catalogue';
  throw notThere(`the ${whole} has no ${kind.name} ${shown(id)}${meant} (fluxgate ${kind.name} list)`);
}

/** Of a merge, the components whose values it changes. */
function idsOf({ op, id, merge }: BulkOperation): readonly string[] {
  if (op !== 'merge') return [String(id)];
  return Object.keys((merge as { readonly patches?: object } | undefined)?.patches ?? {});
}

/** Where nothing was different: because it was so already, or because nobody is assigned it? */
async function assertAssigned(
  { send }: Session,
  { op, id }: BulkOperation,
  { ids, environment, labels = {} }: ClusterSelector,
): Promise<void> {
  if (op !== 'set' && op !== 'enable') return;
  const clusters = await listed<StoredObject>(send, { path: CLUSTERS.path, query: { environment } });
  const assigned = clusters.some(
    (cluster) =>
      (ids === undefined || ids.includes(cluster.id)) &&
      Object.entries(labels).every(
        ([key, value]) =>
          (cluster['labels'] as Readonly<Record<string, unknown>> | undefined)?.[key] === value,
      ) &&
      ((cluster['platform_components'] ?? []) as readonly StoredObject[]).some((one) => one.id === id),
  );
  if (!assigned) {
    throw notThere(
      `no selected cluster is assigned ${String(id)} (fluxgate component assign ${String(id)} …); nothing was different`,
    );
  }
}

const notThere = (text: string): CommandFailed => new CommandFailed(shown(text), undefined, EXIT.notFound);

/** Of what a write became; undefined: nothing was different. */
function revisionOf(outcome: Readonly<Record<string, unknown>>): number | undefined {
  const revision = Number(outcome['revision']);
  return Number.isSafeInteger(revision) ? revision : undefined;
}

/** Of bulk changes, imports and reverts: what they became. */
export function tellOutcome(
  context: TerminalContext,
  outcome: Readonly<Record<string, unknown>>,
  { output }: WriteOptions,
  verb = 'carried out',
): void {
  context.print(outcomeText(outcome, output, verb));
}

function outcomeText(
  outcome: Readonly<Record<string, unknown>>,
  output: WriteOptions['output'],
  verb: string,
): string {
  if (output === 'json') return jsonText(outcome);
  if (output === 'yaml') return yamlText(outcome);
  const revision = revisionOf(outcome);
  if (revision === undefined) return 'nothing was different';
  if (output === 'name') return `revision/${revision}`;
  const plan = outcome['plan'] as PlanSummary;
  const what = `${counted(Number(plan.objects_changed), 'object')} changed, ${counted(Number(plan.clusters_affected), 'cluster')} affected`;
  return `${verb} as revision ${revision}: ${what}`;
}
