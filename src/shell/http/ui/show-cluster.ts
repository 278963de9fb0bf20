import { FluxgateError } from '../../../core/errors.ts';
import { PAGE_LIMITS } from '../../../core/page-limits.ts';
import type { Parameters } from '../router.ts';
import type { Html } from './html.ts';
import { ifAllowed, type PageRequest } from './page-request.ts';
import { queryOf } from './pieces.ts';
import { clusterView } from './views/cluster.ts';
import type {
  ClusterAnswer,
  HistoryAnswer,
  PresentedAnswer,
  RefusalAnswer,
  RenderedAnswer,
} from './views/cluster-answers.ts';

/** One cluster: what its own routes answer, each where whoever looks may ask for it. */
export async function showCluster(
  page: PageRequest,
  { path, query }: Parameters,
  nowMs: number,
): Promise<{ readonly title: string; readonly main: Html }> {
  const dns = path['cluster_dns'] ?? '';
  const cluster = await page.ask<ClusterAnswer>(`/fleet/${dns}`);
  const before = typeof query['before'] === 'number' ? query['before'] : undefined;
  const history = `/clusters/${cluster.id}/history?${queryOf({ limit: PAGE_LIMITS.history, before })}`;
  const main = clusterView({
    cluster,
    rendered: await ifAllowed(page.ask<RenderedAnswer>(`/clusters/${cluster.id}/rendered`)),
    history: await ifAllowed(page.ask<HistoryAnswer>(history)),
    presented: await presentedBy(page, dns),
    refusals: await ifAllowed(
      page.ask<RefusalAnswer[]>(`/refusals?${queryOf({ cluster_dns: dns, limit: PAGE_LIMITS.rows })}`),
    ),
    nowMs,
  });
  return { title: cluster.cluster_name, main };
}

async function presentedBy(page: PageRequest, dns: string): Promise<PresentedAnswer | 'nothing' | undefined> {
  try {
    return await page.ask<PresentedAnswer>(`/trust/clusters/${dns}`);
  } catch (error) {
    if (error instanceof FluxgateError && error.code === 'not_found') return 'nothing';
    if (error instanceof FluxgateError && error.code === 'forbidden') return undefined;
    throw error;
  }
}
