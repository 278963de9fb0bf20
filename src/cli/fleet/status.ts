import { systemClock } from '../../shell/clock.ts';
import { answered, recordOf } from '../api/pages.ts';
import { segment } from '../api/path.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import type { FleetOptions } from '../fleet.ts';
import { printPaged } from '../output/pager.ts';
import { createPaint } from '../output/paint.ts';
import { printDocument, printRows } from '../output/rows.ts';
import { tableLines } from '../output/table.ts';
import { shown } from '../output/text.ts';
import { age } from '../output/time.ts';
import { dnsOf } from './cluster-name.ts';
import {
  countsLine,
  type FleetCluster,
  type FleetRoute,
  fleetColumns,
  noneOf,
  readFleet,
  revokedSince,
} from './clusters.ts';

interface ReportedComponent {
  readonly component: string;
  readonly result: string;
  readonly revision?: string | null;
  readonly reason?: string | null;
  readonly message?: string | null;
  readonly at: string;
}

interface Reported {
  readonly components?: readonly ReportedComponent[];
  readonly unreported?: readonly string[];
}

export async function fleetStatus(
  context: TerminalContext,
  cluster: string | undefined,
  options: FleetOptions,
): Promise<void> {
  const session = await openSession(context, options);
  if (cluster !== undefined) {
    const path = `/fleet/${segment(await dnsOf(session.send, cluster))}`;
    const status = recordOf(await answered(session.send, { path }));
    if (options.output !== 'table') return printDocument(context, options, status);
    return printPaged(
      context,
      detailLines(status as unknown as FleetCluster & Reported),
      options.pager ?? true,
    );
  }
  const page = await readFleet(session, options);
  if (options.output === 'json' || options.output === 'yaml') return printDocument(context, options, page);
  await printRows(context, options, page.clusters, {
    columns: fleetColumns(systemClock.now(), createPaint(context.terminal.output)),
    name: ({ id }) => `cluster/${id}`,
    none: shown(noneOf(options)),
  });
  if (options.output !== 'table') return;
  context.terminal.errors.write(`${shown(await countsLine(session, page, options))}\n`);
}

function detailLines({ components = [], unreported = [], ...cluster }: FleetCluster & Reported): string[] {
  const now = systemClock.now();
  const { id, cluster_dns, environment, lifecycle, state, refusal, routes } = cluster;
  const lines = [shown(`${id} (${cluster_dns}, ${environment}, ${lifecycle}): ${state}`)];
  if (refusal !== null) lines.push(shown(`refused ${age(refusal.at, now)} ago: ${refusal.reason}`));
  const revoked = revokedSince(cluster);
  if (revoked !== undefined) lines.push(shown(revoked));
  lines.push(
    '',
    ...tableLines<FleetRoute>(
      [
        { heading: 'ROUTE', of: ({ route }) => route },
        { heading: 'STATE', of: ({ state: of }) => of },
        { heading: 'LAST POLL', of: ({ last_poll }) => age(last_poll, now) ?? 'never' },
        { heading: 'REVISION', of: ({ revision }) => revision },
        {
          heading: 'INTERVAL',
          of: ({ interval_seconds }) => (interval_seconds ? `${interval_seconds}s` : undefined),
        },
        { heading: 'CREDENTIAL', of: ({ credential }) => credentialText(credential) },
        { heading: 'CLIENT', of: ({ client }) => client },
      ],
      routes,
    ),
  );
  const silent = unreported.length === 0 ? [] : ['', shown(`nothing reported of: ${unreported.join(', ')}`)];
  if (components.length === 0) return [...lines, ...silent];
  lines.push(
    '',
    ...tableLines<ReportedComponent>(
      [
        { heading: 'COMPONENT', of: ({ component }) => component },
        { heading: 'RESULT', of: ({ result }) => result },
        { heading: 'AT', of: ({ at }) => at },
        { heading: 'REVISION', of: ({ revision }) => revision },
        { heading: 'REASON', of: ({ reason }) => reason },
        { heading: 'MESSAGE', of: ({ message }) => message },
      ],
      components,
    ),
    ...silent,
  );
  return lines;
}

function credentialText(credential: FleetRoute['credential']): string | undefined {
  return credential === null || credential === undefined
    ? undefined
    : [credential.method, credential.name].filter((part) => part !== undefined).join(' ');
}
