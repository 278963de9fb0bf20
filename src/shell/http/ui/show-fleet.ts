import { FluxgateError } from '../../../core/errors.ts';
import { ENVIRONMENTS } from '../../../core/fleet/objects.ts';
import type { Principal } from '../../../core/identity/principal.ts';
import { PAGE_LIMITS } from '../../../core/page-limits.ts';
import { grantsOfGroups } from '../../../core/policy/roles.ts';
import { numberOf } from '../parameters.ts';
import type { Html } from './html.ts';
import { ifAllowed, type PageRequest } from './page-request.ts';
import { queryOf } from './pieces.ts';
import { type FleetAnswer, type FleetFilters, fleetView } from './views/fleet.ts';
import type { PlanAnswer } from './views/plans.ts';

type Query = Readonly<Record<string, string | number | boolean>>;

/** Plans that are counted for the notice on top. */
const WAITING_MAX = 20;

export async function fleetPage(page: PageRequest, query: Query, nowMs: number): Promise<Html> {
  const offset = numberOf(query['offset'], 0);
  const limit = PAGE_LIMITS.clusters;
  const wanted = filtersOf(query);
  const sight = await inSight(page, wanted);
  const filters = sight.filters ?? wanted;
  const fleet =
    sight.filters === undefined
      ? undefined
      : await page.ask<FleetAnswer>(`/fleet?${queryOf({ ...filters, limit, offset })}`);
  const plans = await ifAllowed(page.ask<readonly PlanAnswer[]>(`/plans?limit=${WAITING_MAX}`));
  return fleetView({
    fleet,
    filters,
    environments: sight.environments,
    mayChooseAll: sight.all,
    offset,
    limit,
    nowMs,
    plansWaiting: plans?.filter(({ approved_by: by }) => by === undefined).length,
  });
}

function filtersOf(query: Query): FleetFilters {
  const text = (name: string): string => String(query[name] ?? '');
  return {
    state: text('state'),
    environment: text('environment'),
    label: text('label'),
    q: text('q').trim(),
    anchor: text('anchor'),
    expires_within: text('expires_within'),
  };
}

interface Sight {
  /** The fleet as a whole may be looked at. */
  readonly all: boolean;
  readonly environments: readonly string[];
  /** What is shown: as wanted, or kept to the first part that may be looked at. undefined: there is none. */
  readonly filters: FleetFilters | undefined;
}

/**
 * Whoever is limited to environments or labels has to name one, as for the JSON route. The page names it for them: it asks the policies about
 * each, and knows no rule of its own.
 */
async function inSight(page: PageRequest, wanted: FleetFilters): Promise<Sight> {
  const may = ({ environment, label }: Pick<FleetFilters, 'environment' | 'label'>): Promise<boolean> =>
    page.may(`/fleet?${queryOf({ environment, label })}`);
  const labels = [...new Set([wanted.label, '', ...labelsOf(page.principal)])];
  for (const label of labels) {
    const all = await may({ environment: '', label });
    const environments: string[] = [];
    for (const environment of ENVIRONMENTS)
      if (all || (await may({ environment, label }))) environments.push(environment);
    const [first] = environments;
    if (first === undefined) continue;
    const { environment } = wanted;
    if (environment !== '' && !environments.includes(environment)) {
      throw new FluxgateError('forbidden', 'This environment is not for this credential to see.', {
        logged: 'outside the environments and labels that this credential is limited to',
      });
    }
    return {
      all,
      environments,
      filters: { ...wanted, label, environment: environment === '' && !all ? first : environment },
    };
  }
  return { all: false, environments: [], filters: undefined };
}

/** Where to look first; what may be seen there is not decided by it. */
function labelsOf(principal: Principal): readonly string[] {
  if (principal.kind === 'operator_token') return principal.grants.labels;
  if (principal.kind === 'operator') return grantsOfGroups(principal.groups)?.labels ?? [];
  return [];
}
