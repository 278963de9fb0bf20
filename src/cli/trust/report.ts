import { readFile } from 'node:fs/promises';
import { StartupError } from '../../core/errors.ts';
import type { ApiOptions, OutputOptions } from '../api/options.ts';
import { answered, recordOf } from '../api/pages.ts';
import { segment } from '../api/path.ts';
import { openSession, type Session } from '../api/session.ts';
import { CommandFailed, type TerminalContext } from '../context.ts';
import { dnsOf } from '../fleet/cluster-name.ts';
import { printPaged } from '../output/pager.ts';
import { createPaint } from '../output/paint.ts';
import { printDocument, printRows } from '../output/rows.ts';
import { tableLines } from '../output/table.ts';
import { counted, shown } from '../output/text.ts';

export type TrustListOptions = ApiOptions & OutputOptions & { readonly expiresWithin?: string };

export interface TrustPlanOptions extends ApiOptions, OutputOptions {
  readonly remove?: readonly string[];
  readonly clusterCa?: string;
  readonly operatorCa?: string;
}

export type ExplainOptions = ApiOptions &
  OutputOptions & {
    readonly requestId?: string;
    readonly certificate?: string;
    readonly chain?: string;
    readonly path?: string;
    readonly method?: string;
    readonly source?: string;
    readonly at?: string;
  };

interface Names {
  readonly total: number;
  readonly names: readonly string[];
}

export interface Authority {
  readonly kind: string;
  readonly role: string;
  readonly status: string;
  readonly revoked_by?: string;
  readonly refused?: { readonly rule: string; readonly detail: string };
  readonly sha256: string;
  readonly spki_sha256: string;
  readonly serial: string;
  readonly subject: string;
  readonly issuer: string;
  readonly not_after: string;
  readonly last_seen: Names;
}

interface Report {
  readonly authorities: readonly Authority[];
  readonly crls: readonly {
    readonly status: string;
    readonly source: string;
    readonly next_update: string;
    readonly remembered: boolean;
  }[];
  readonly crls_missing: readonly { readonly issuer: string }[];
  readonly server_certificate: { readonly not_after: string };
  readonly last_seen_by_token: Names;
  readonly conflicts: { readonly total: number };
  readonly expiring?: {
    readonly clusters: readonly {
      readonly name: string;
      readonly certificate?: { readonly not_after: string };
    }[];
  };
}

/** `limit`: names in each list. */
export async function reportOf(
  { send }: Session,
  { expiresWithin, limit }: { readonly expiresWithin?: string | undefined; readonly limit?: number } = {},
): Promise<Report> {
  const query = { expires_within: expiresWithin, limit };
  const answer = await answered(send, { path: '/trust', query });
  return recordOf(answer) as unknown as Report;
}

export async function listTrust(context: TerminalContext, options: TrustListOptions): Promise<void> {
  const report = await reportOf(await openSession(context, options), options);
  if (options.output === 'json' || options.output === 'yaml') return printDocument(context, options, report);
  await printRows(context, options, report.authorities, {
    columns: [
      { heading: 'FOR', of: ({ kind }) => kind },
      { heading: 'ROLE', of: ({ role }) => role },
      { heading: 'STATUS', of: statusOf },
      { heading: 'UNTIL', of: ({ not_after }) => not_after },
      { heading: 'SEEN', of: ({ last_seen }) => last_seen.total },
      { heading: 'SHA256', of: ({ sha256 }) => sha256.slice(0, 16) },
      { heading: 'SUBJECT', of: ({ subject }) => subject },
    ],
    name: ({ sha256 }) => `authority/${sha256}`,
    none: 'no CA is trusted',
  });
  if (options.output !== 'name') for (const line of besides(report)) context.print(line);
}

const statusOf = ({ status, revoked_by: by, refused }: Authority): string => {
  if (by !== undefined) return `revoked: ${by}`;
  return refused === undefined ? status : `refused: ${refused.rule}`;
};

function besides(report: Report): string[] {
  const stale = report.crls.filter(({ status }) => status !== 'fresh');
  return [
    ...report.authorities.flatMap(({ subject, refused }) =>
      refused === undefined
        ? []
        : [`nobody is let in under "${subject}" (${refused.rule}): ${refused.detail}`],
    ),
    `server certificate until ${report.server_certificate.not_after}; ${counted(report.crls.length, 'CRL')}`,
    ...stale.map(
      ({ source, status, next_update }) => `CRL ${source} is ${status}, next update ${next_update}`,
    ),
    ...report.crls
      .filter(({ remembered }) => remembered)
      .map(({ source }) => `CRL ${source} is in no file any more: a process that starts does not know it`),
    ...report.crls_missing.map(({ issuer }) => `no CRL any more of ${issuer}`),
    ...(report.last_seen_by_token.total === 0
      ? []
      : [`last seen by token: ${namesText(report.last_seen_by_token)}`]),
    ...(report.conflicts.total === 0
      ? []
      : [`two keys in use under one name: ${counted(report.conflicts.total, 'cluster')}`]),
    ...(report.expiring?.clusters ?? []).map(
      ({ name, certificate }) => `expires ${certificate?.not_after ?? ''}: ${name}`,
    ),
  ].map(shown);
}

function namesText({ total, names }: Names): string {
  const first = names.slice(0, 10).join(', ');
  return total > 10 ? `${first} and ${total - 10} more` : first;
}

export async function showCluster(
  context: TerminalContext,
  cluster: string,
  options: ApiOptions & OutputOptions,
): Promise<void> {
  const { send } = await openSession(context, options);
  const path = `/trust/clusters/${segment(await dnsOf(send, cluster))}`;
  await printDocument(context, options, recordOf(await answered(send, { path })));
}

export async function resetPin(
  context: TerminalContext,
  cluster: string,
  options: ApiOptions,
): Promise<void> {
  const { send } = await openSession(context, options);
  const dns = await dnsOf(send, cluster);
  await answered(send, { method: 'DELETE', path: `/trust/pins/${segment(dns)}` });
  context.print(shown(`the keys of ${dns} are forgotten: the next one counts as its first`));
}

interface Refused {
  readonly name: string;
  readonly rule: string;
  readonly detail: string;
  readonly refused_now: boolean;
  readonly last_seen: string;
}

interface PlanGroup {
  readonly refused: { readonly total: number; readonly entries: readonly Refused[] };
  readonly stays: Names;
}

/** Throws CommandFailed, after the report, where somebody would be refused: exit code 1. */
export async function planTrust(context: TerminalContext, options: TrustPlanOptions): Promise<void> {
  const { remove, clusterCa, operatorCa } = options;
  if ((remove === undefined) === (clusterCa === undefined && operatorCa === undefined)) {
    throw new StartupError('say what would be: --remove SHA256, or --cluster-ca FILE and --operator-ca FILE');
  }
  const session = await openSession(context, options);
  const body =
    remove === undefined
      ? { cluster_ca_pem: await bundle(clusterCa), operator_ca_pem: await bundle(operatorCa) }
      : { remove_anchors: await fingerprints(session, remove) };
  const plan = recordOf(await answered(session.send, { method: 'POST', path: '/trust/plan', body }));
  if (options.output === 'table') await printTrustPlan(context, plan, options.pager ?? true);
  else await printDocument(context, options, plan);
  if (plan['safe'] === true) return;
  const groups = [plan['clusters'], plan['operators']] as readonly PlanGroup[];
  throw new CommandFailed(
    groups.some(({ refused }) => refused.total > 0)
      ? 'somebody who is accepted now would be refused'
      : 'not everybody could be judged: the warnings name them',
  );
}

async function printTrustPlan(
  context: TerminalContext,
  plan: Readonly<Record<string, unknown>>,
  pager: boolean,
): Promise<void> {
  const lines: string[] = [];
  for (const group of ['clusters', 'operators'] as const) {
    const { refused, stays } = plan[group] as PlanGroup;
    lines.push(`${group}: ${refused.total} would be refused, ${stays.total} stay`);
    if (refused.entries.length === 0) continue;
    lines.push(
      ...tableLines<Refused>(
        [
          { heading: '  NAME', of: ({ name }) => `  ${name}` },
          { heading: 'NOW', of: ({ refused_now }) => (refused_now ? 'refused' : 'accepted') },
          { heading: 'LAST SEEN', of: ({ last_seen }) => last_seen },
          { heading: 'RULE', of: ({ rule }) => rule },
          { heading: 'DETAIL', of: ({ detail }) => detail },
        ],
        refused.entries,
      ),
    );
  }
  const unknown = plan['unknown'] as Names;
  if (unknown.total > 0) lines.push(shown(`never presented a certificate: ${namesText(unknown)}`));
  for (const warning of plan['warnings'] as readonly string[]) lines.push(shown(`warning: ${warning}`));
  const paint = createPaint(context.terminal.output);
  lines.push(plan['safe'] === true ? paint('green', 'safe') : paint('red', 'NOT safe'));
  await printPaged(context, lines, pager);
}

async function bundle(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new StartupError(`${path}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

/** The start of one is enough where only one CA begins so. */
async function fingerprints(session: Session, given: readonly string[]): Promise<readonly string[]> {
  const wanted = given.map((text) => text.replaceAll(':', '').toLowerCase());
  if (wanted.every((text) => text.length === 64)) return wanted;
  const { authorities } = await reportOf(session);
  return wanted.map((start) => {
    const found = authorities.filter(
      ({ sha256 }) => /^[0-9a-f]{6,}$/.test(start) && sha256.startsWith(start),
    );
    if (found.length !== 1) {
      throw new StartupError(
        `${shown(JSON.stringify(start))} is the start of ${found.length} trusted CAs' fingerprints: fluxgate trust list -o name`,
      );
    }
    return found[0]?.sha256 ?? '';
  });
}
