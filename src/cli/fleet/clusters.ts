import { answered, recordOf } from '../api/pages.ts';
import type { Session } from '../api/session.ts';
import type { FleetOptions } from '../fleet.ts';
import type { Paint } from '../output/paint.ts';
import type { Column } from '../output/table.ts';
import { counted } from '../output/text.ts';
import { age } from '../output/time.ts';

/** As openapi.yaml has it for GET /fleet. */
export interface FleetRoute {
  readonly route: string;
  readonly state: string;
  readonly last_poll: string | null;
  readonly revision?: number | null;
  readonly credential?: { readonly method: string; readonly name?: string } | null;
  readonly client?: string | null;
  readonly interval_seconds?: number | null;
}

export interface FleetCluster {
  readonly id: string;
  readonly cluster_dns: string;
  readonly environment: string;
  readonly lifecycle: string;
  readonly state: string;
  readonly last_poll: string | null;
  readonly refusal: { readonly at: string; readonly reason: string } | null;
  readonly revoked_by?: string;
  readonly routes: readonly FleetRoute[];
  readonly reported?: { readonly applied: number; readonly failed: number; readonly last: string | null };
}

export interface FleetPage {
  readonly revision: number;
  readonly total: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly clusters: readonly FleetCluster[];
}

/** The most that one answer brings. */
const PAGE = 1_000;

export async function readFleet(
  { send }: Session,
  { state, environment, search, limit = Number.POSITIVE_INFINITY }: FleetOptions,
): Promise<FleetPage> {
  const clusters: FleetCluster[] = [];
  for (;;) {
    const query = {
      state,
      environment,
      q: search,
      limit: Math.min(PAGE, limit - clusters.length),
      offset: clusters.length,
    };
    const page = recordOf(await answered(send, { path: '/fleet', query })) as unknown as FleetPage;
    clusters.push(...page.clusters);
    const done = page.clusters.length === 0 || clusters.length >= Math.min(page.total, limit);
    if (done) return { ...page, clusters };
  }
}

const STYLES: Readonly<Record<string, 'green' | 'yellow' | 'red' | 'gray'>> = Object.freeze({
  current: 'green',
  behind: 'yellow',
  overdue: 'red',
  refused: 'red',
  never: 'gray',
});

export function fleetColumns(now: number, paint: Paint): readonly Column<FleetCluster>[] {
  return [
    { heading: 'CLUSTER', of: ({ id }) => id },
    { heading: 'ENVIRONMENT', of: ({ environment }) => environment },
    {
      heading: 'STATE',
      of: ({ state }) => state,
      style: (text, { state }) => paint(STYLES[state] ?? 'yellow', text),
    },
    { heading: 'LIFECYCLE', of: ({ lifecycle }) => lifecycle },
    { heading: 'LAST POLL', of: ({ last_poll }) => age(last_poll, now) ?? 'never' },
    { heading: 'REVISION', of: ({ routes }) => oldestRevision(routes) },
    { heading: 'CREDENTIAL', of: ({ routes }) => each(routes, ({ credential }) => credential?.method) },
    { heading: 'CLIENT', of: ({ routes }) => each(routes, ({ client }) => client) },
    {
      heading: 'REPORTED',
      of: ({ reported }) =>
        reported === undefined || reported.last === null || reported.last === undefined
          ? undefined
          : `${reported.applied} applied, ${reported.failed} failed`,
    },
    { heading: 'REFUSED', of: (cluster) => revokedSince(cluster) ?? cluster.refusal?.reason },
  ];
}

/** undefined: its latest poll was told so, or nothing revokes it. */
export function revokedSince({
  revoked_by,
  refusal,
}: Pick<FleetCluster, 'revoked_by' | 'refusal'>): string | undefined {
  const isTold = revoked_by === undefined || refusal?.reason.includes(revoked_by) === true;
  return isTold ? undefined : `revoked by ${revoked_by}: refused from now on`;
}

function oldestRevision(routes: readonly FleetRoute[]): number | undefined {
  const revisions = routes.flatMap(({ revision }) => (typeof revision === 'number' ? [revision] : []));
  return revisions.length === 0 ? undefined : Math.min(...revisions);
}

function each(routes: readonly FleetRoute[], of: (route: FleetRoute) => string | null | undefined): string {
  return [...new Set(routes.map(of).filter((text) => text !== undefined && text !== null))].join(', ');
}

/**
 * "3 shown, revision 42; the fleet: 400 current, 5 behind": the counts are of what environment and search select, whatever the state. Where they
 * select nothing, of how many: the gateway is asked for them.
 */
export async function countsLine(session: Session, page: FleetPage, filters: FleetFilters): Promise<string> {
  const { total, revision, counts } = page;
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`);
  const all = parts.length > 0 ? undefined : await sizeOfFleet(session, filters);
  if (all) return `0 of ${counted(all, 'cluster')} shown, revision ${revision}`;
  const of = isPart(filters) ? descriptions(filters, false).join(' and ') : 'the fleet';
  return `${total} shown, revision ${revision}; ${of}: ${parts.join(', ') || 'no cluster'}`;
}

/** Said where none is shown. */
export function noneOf(filters: FleetFilters): string {
  const described = descriptions(filters);
  if (described.length === 0) return 'the fleet has no cluster';
  return `no cluster has ${described.join(' and ')}: fluxgate fleet status has all`;
}

type FleetFilters = Pick<FleetOptions, 'state' | 'environment' | 'search'>;

const isPart = ({ environment, search }: FleetFilters): boolean =>
  environment !== undefined || search !== undefined;

/** 0: it is known to be empty. */
async function sizeOfFleet(session: Session, filters: FleetFilters): Promise<number> {
  if (!isPart(filters)) return 0;
  const whole = recordOf(await answered(session.send, { path: '/fleet', query: { limit: 1 } }));
  return (whole as unknown as FleetPage).total;
}

function descriptions({ state, environment, search }: FleetFilters, withState = true): readonly string[] {
  return [
    ...(environment === undefined ? [] : [`the environment ${environment}`]),
    ...(state === undefined || !withState ? [] : [`the state ${state}`]),
    ...(search === undefined ? [] : [`${JSON.stringify(search)} in id, name or DNS name`]),
  ];
}
