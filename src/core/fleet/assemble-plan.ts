import { createHash } from 'node:crypto';
import type { Pause } from './pause.ts';
import {
  type ChangedObject,
  type ClusterPlan,
  describeChange,
  type InputChange,
  type LimitWarning,
  type ObjectChange,
  type Plan,
  type RoutePlan,
} from './plan.ts';

/** Texts of changes that are kept: most of 10,000 clusters are changed alike, and where they are not there is nothing to keep. */
const TEXTS_KEPT_MAX = 1_000;
/** What is hashed in one call: a call costs as much as some hundred octets. */
const HASHED_CHARACTERS = 16_384;

/** Puts a plan together. Warnings are not hashed: how near a limit is changes nothing. */
export async function assemblePlan(
  changes: readonly ObjectChange[],
  clusters: readonly ClusterPlan[],
  warnings: readonly LimitWarning[],
  pause: Pause,
): Promise<Plan> {
  const objects: ChangedObject[] = [];
  for (const change of changes) {
    objects.push(describeChange(change));
    await pause();
  }
  objects.sort((a, b) => compare(a.kind, b.kind) || compare(a.id, b.id));
  const ordered = [...clusters].sort((a, b) => compare(a.id, b.id));
  return Object.freeze({ hash: await hashOf(objects, ordered, pause), objects, clusters: ordered, warnings });
}

/** Over the JSON of each object and each cluster, a line each. */
async function hashOf(
  objects: readonly ChangedObject[],
  clusters: readonly ClusterPlan[],
  pause: Pause,
): Promise<string> {
  const hash = createHash('sha256').update('fluxgate plan 1\n');
  const texts: Texts = { inputs: new Map(), routes: new Map() };
  let lines = '';
  const add = (line: string): Promise<void> | undefined => {
    lines += `${line}\n`;
    if (lines.length >= HASHED_CHARACTERS) {
      hash.update(lines);
      lines = '';
    }
    return pause();
  };
  for (const object of objects) await add(JSON.stringify(object));
  for (const cluster of clusters) {
    const due = add(textOf(cluster, texts));
    if (due !== undefined) await due;
  }
  return hash.update(lines).digest('hex');
}

/** Of one plan: what many clusters have alike is put into words once. */
interface Texts {
  readonly inputs: Map<InputChange, string>;
  readonly routes: Map<readonly RoutePlan[], string | undefined>;
}

const NO_ROUTES = '"routes":[]}';
const NO_INPUTS = '"inputs":[]}';

/** As JSON.stringify writes it. */
function textOf(cluster: ClusterPlan, texts: Texts): string {
  const head = JSON.stringify({ ...cluster, routes: [] });
  const routes = remembered(texts.routes, cluster.routes, (list) => routesText(list, texts));
  if (routes === undefined || !head.endsWith(NO_ROUTES)) return JSON.stringify(cluster);
  return `${head.slice(0, -2)}${routes}]}`;
}

/** What stands between the brackets; undefined: a route that is to be written as a whole. */
function routesText(list: readonly RoutePlan[], texts: Texts): string | undefined {
  let routes = '';
  for (const route of list) {
    const frame = JSON.stringify({ ...route, inputs: [] });
    if (!frame.endsWith(NO_INPUTS)) return undefined;
    let inputs = '';
    for (const input of route.inputs) {
      inputs += `${inputs === '' ? '' : ','}${remembered(texts.inputs, input, (one) => JSON.stringify(one))}`;
    }
    routes += `${routes === '' ? '' : ','}${frame.slice(0, -2)}${inputs}]}`;
  }
  return routes;
}

function remembered<K, T>(texts: Map<K, T>, key: K, make: (key: K) => T): T {
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = make(key);
  if (texts.size < TEXTS_KEPT_MAX) texts.set(key, text);
  return text;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
