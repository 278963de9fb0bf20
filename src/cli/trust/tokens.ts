import { rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { StartupError } from '../../core/errors.ts';
import { systemClock } from '../../shell/clock.ts';
import { clusterMeant } from '../api/meant.ts';
import type { ApiOptions, OutputOptions } from '../api/options.ts';
import { answered, listed, recordOf } from '../api/pages.ts';
import { assertId, segment } from '../api/path.ts';
import { openSession } from '../api/session.ts';
import type { SendRequest } from '../api/transport.ts';
import { CommandFailed, type TerminalContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { registeredDns } from '../fleet/cluster-name.ts';
import { printDocument, printRows } from '../output/rows.ts';
import { shown } from '../output/text.ts';
import { age, durationSeconds } from '../output/time.ts';

export interface TokenCreateOptions extends ApiOptions, OutputOptions {
  readonly kind: string;
  readonly clusterDns?: string;
  /** A DNS name that no cluster has yet. */
  readonly unknown?: boolean;
  readonly role?: readonly string[];
  readonly environment?: readonly string[];
  readonly label?: readonly string[];
  readonly ttl?: string;
  readonly expiresAt?: string;
  readonly to?: string;
}

interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly cluster_dns?: string;
  readonly roles?: readonly string[];
  readonly environments?: readonly string[];
  readonly labels?: readonly string[];
  readonly created_by: string;
  readonly expires_at: string;
  readonly last_used_at?: string;
}

export async function createToken(
  context: TerminalContext,
  name: string,
  options: TokenCreateOptions,
): Promise<void> {
  const { kind, role, environment, label, ttl, expiresAt, to } = options;
  if ((ttl === undefined) === (expiresAt === undefined)) {
    throw new StartupError('say until when: --ttl 30d or --expires-at TIME, one of them');
  }
  const { send } = await openSession(context, options);
  const cluster_dns = await clusterFor(context, send, options);
  // Made before the token, which is shown once: a file that cannot be written must not cost one.
  if (to !== undefined) await createPrivate(to);
  const body = {
    name,
    kind,
    cluster_dns,
    roles: role,
    environments: environment,
    labels: label,
    ...(ttl === undefined ? { expires_at: expiresAt } : { ttl: durationSeconds('--ttl', ttl) }),
  };
  const made = await answered(send, { method: 'POST', path: '/tokens', body }).then(
    recordOf,
    async (error: unknown) => {
      if (to !== undefined) await rm(to);
      throw error;
    },
  );
  const { token, ...record } = made;
  if (to !== undefined) await writeFile(to, `${String(token)}\n`);
  if (options.output !== 'table') return printDocument(context, options, to === undefined ? made : record);
  context.terminal.errors.write(
    `${shown(`token ${String(made['id'])} (${name}), until ${String(made['expires_at'])}`)}\n`,
  );
  if (to === undefined) {
    context.terminal.errors.write('It is shown this once and kept nowhere:\n');
    context.print(shown(String(token)));
  } else context.print(`written to ${to}`);
}

/** A secret for a name that nobody has is found out once it has travelled: it is made only where that is meant. */
async function clusterFor(
  { terminal }: TerminalContext,
  send: SendRequest,
  { kind, clusterDns, unknown = false, output }: TokenCreateOptions,
): Promise<string | undefined> {
  if (clusterDns === undefined || kind !== 'cluster' || unknown) return clusterDns;
  const note = (text: string): void => void terminal.errors.write(`${shown(text)}\n`);
  let dns: string | undefined;
  try {
    dns = await registeredDns(send, clusterDns);
  } catch (error) {
    // Whoever makes tokens need not be somebody who may read the fleet.
    if (!(error instanceof CommandFailed) || error.exitCode !== EXIT.refused) throw error;
    note(`whether a cluster has the name ${clusterDns} is not known: this credential may not read the fleet`);
    return clusterDns;
  }
  if (dns === undefined) {
    const near = await clusterMeant(send, clusterDns);
    const meant = near === undefined ? '.' : `; is ${near} meant?`;
    throw new CommandFailed(
      shown(
        `no cluster of this DNS name or id is in the fleet: ${clusterDns}${meant} No token was made; --unknown makes one for the DNS name all the same`,
      ),
      undefined,
      EXIT.notFound,
    );
  }
  if (dns !== clusterDns && output === 'table') note(`${clusterDns} is ${dns}`);
  return dns;
}

async function createPrivate(path: string): Promise<void> {
  try {
    await writeFile(path, '', { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const file = resolve(path);
    const said =
      code === 'EEXIST'
        ? `${file} is there already: a token is written into a new file only`
        : code === 'ENOENT'
          ? `there is no directory ${dirname(file)}: make it first (mkdir -p), or name a file elsewhere`
          : `${file} cannot be written (${code ?? 'no reason'})`;
    throw new StartupError(`--to: ${said}`, error);
  }
}

export async function listTokens(
  context: TerminalContext,
  options: ApiOptions & OutputOptions,
): Promise<void> {
  const { send } = await openSession(context, options);
  const tokens = await listed<TokenRecord>(send, { path: '/tokens' });
  const now = systemClock.now();
  await printRows(context, options, tokens, {
    columns: [
      { heading: 'ID', of: ({ id }) => id },
      { heading: 'NAME', of: ({ name }) => name },
      { heading: 'KIND', of: ({ kind }) => kind },
      { heading: 'STATE', of: ({ state }) => state },
      { heading: 'FOR', of: whatFor },
      { heading: 'UNTIL', of: ({ expires_at }) => expires_at },
      { heading: 'LAST USED', of: ({ last_used_at }) => age(last_used_at, now) ?? 'never' },
      { heading: 'MADE BY', of: ({ created_by }) => created_by },
    ],
    name: ({ id }) => `token/${id}`,
    none: 'no token',
  });
}

function whatFor({ cluster_dns, roles = [], environments = [], labels = [] }: TokenRecord): string {
  return cluster_dns ?? [...roles, ...environments, ...labels].join(',');
}

export async function revokeToken(
  context: TerminalContext,
  id: string,
  options: ApiOptions & OutputOptions,
): Promise<void> {
  assertId(id, 'tok-', 'token list');
  const { send } = await openSession(context, options);
  const record = recordOf(await answered(send, { method: 'DELETE', path: `/tokens/${segment(id)}` }));
  if (options.output !== 'table') return printDocument(context, options, record);
  context.print(
    shown(`token ${id} (${String(record['name'])}) is revoked: no request is let in with it any more`),
  );
}
