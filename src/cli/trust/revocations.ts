import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
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
import { counted, shown } from '../output/text.ts';
import { instantAhead } from '../output/time.ts';
import { assertMeant } from './revocation-guard.ts';

export interface RevokeOptions extends ApiOptions, OutputOptions {
  readonly cluster?: string;
  readonly certificate?: string;
  readonly spki?: string;
  readonly issuer?: string;
  readonly serial?: string;
  readonly reason?: string;
  readonly until?: string;
  /** A DNS name that no cluster has yet. */
  readonly unknown?: boolean;
  /** Do not ask, though it is a CA or what this very command asks with. */
  readonly yes?: boolean;
}

interface Revocation {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
  readonly created_at: string;
  readonly created_by: string;
  readonly attempts: number;
  readonly until?: string;
  readonly cluster_dns?: string;
  readonly certificate_sha256?: string;
  readonly spki_sha256?: string;
  readonly issuer_sha256?: string;
  readonly serial?: string;
}

export async function revoke(context: TerminalContext, options: RevokeOptions): Promise<void> {
  if (options.reason === undefined)
    throw new StartupError('say why, for whoever reads the list: --reason TEXT');
  const { cluster, certificate, spki, issuer, serial, reason } = options;
  const until =
    options.until === undefined ? undefined : instantAhead('--until', options.until, systemClock.now());
  const named = [cluster, certificate, spki, issuer].filter((target) => target !== undefined);
  if (named.length !== 1 || (issuer === undefined) !== (serial === undefined)) {
    throw new StartupError(
      'say what is revoked, one of: --cluster ID (or its DNS name), --certificate FILE, --spki SHA256, --issuer SHA256 with --serial HEX',
    );
  }
  const given = certificate === undefined ? undefined : await certificateOf(certificate);
  const certificate_sha256 = typeof given === 'string' ? given : given?.fingerprint256;
  const session = await openSession(context, options);
  const { send } = session;
  if (options.yes !== true && cluster === undefined) {
    const certificateGiven = typeof given === 'string' ? undefined : given;
    await assertMeant(context, session, {
      certificate: certificateGiven,
      sha256: certificate_sha256 ?? spki,
      issuer,
      serial,
    });
  }
  const cluster_dns = cluster === undefined ? undefined : await clusterDns(context, send, cluster, options);
  const body = {
    cluster_dns,
    certificate_sha256,
    spki_sha256: spki,
    issuer_sha256: issuer,
    serial,
    reason,
    until,
  };
  const proof = recordOf(await answered(send, { method: 'POST', path: '/revocations', body }));
  // Whoever may not read the fleet says --unknown of every name, and learns of a slip here.
  tellWarnings(context, proof['warnings']);
  if (options.output === 'name') return context.print(`revocation/${shown(String(proof['id']))}`);
  if (options.output !== 'table') return printDocument(context, options, proof);
  const made = proof as unknown as Revocation;
  context.print(
    shown(
      `revocation ${made.id} of ${targetOf(made)} is in force since ${String(proof['in_force_at'])}; ` +
        `${counted(Number(proof['connections_closed']), 'open connection')} ended`,
    ),
  );
  const others = (await inForce(send, made)) ?? [];
  if (others.length > 0) context.print(shown(`it was refused already by ${others.join(', ')}`));
}

/** To who types: what is printed may be read by a program. */
function tellWarnings({ terminal }: TerminalContext, warnings: unknown): void {
  for (const warning of Array.isArray(warnings) ? warnings : []) {
    terminal.errors.write(`${shown(String(warning))}\n`);
  }
}

/** The other revocations of the same that are in force, by id; undefined: the gateway does not say, now. */
async function inForce(send: SendRequest, one: Revocation): Promise<readonly string[] | undefined> {
  try {
    const all = await listed<Revocation>(send, { path: '/revocations' });
    return all
      .filter(
        (other) => other.state === 'in_force' && other.id !== one.id && targetOf(other) === targetOf(one),
      )
      .map(({ id }) => id);
  } catch (error) {
    // What was done is done, whatever is known of the others; whoever revoked themselves is not told.
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}

/** A name that nobody has refuses nobody: it is taken only where that is meant. */
async function clusterDns(
  { terminal }: TerminalContext,
  send: SendRequest,
  text: string,
  { unknown = false, output }: RevokeOptions,
): Promise<string> {
  let dns: string | undefined;
  try {
    dns = await registeredDns(send, text);
  } catch (error) {
    // Whoever may not read the fleet can still revoke a name as it stands.
    if (!unknown || !(error instanceof CommandFailed)) throw error;
  }
  if (dns === undefined && !unknown) {
    const near = await clusterMeant(send, text);
    const meant = near === undefined ? '.' : `; is ${shown(near)} meant?`;
    throw new CommandFailed(
      `no cluster of this id or DNS name is in the fleet: ${text}${meant} Nothing was revoked; --unknown revokes the DNS name all the same`,
      undefined,
      EXIT.notFound,
    );
  }
  if (dns !== undefined && dns !== text && output === 'table') {
    terminal.errors.write(`${shown(`${text} is ${dns}`)}\n`);
  }
  return dns ?? text;
}

/** In hex, or of the first certificate in a PEM file. */
export async function fingerprintOf(text: string): Promise<string> {
  const found = await certificateOf(text);
  return typeof found === 'string' ? found : found.fingerprint256;
}

/** The first certificate in a PEM file; what is a fingerprint already, as it stands. */
async function certificateOf(text: string): Promise<X509Certificate | string> {
  if (/^[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}$/.test(text)) return text;
  try {
    return new X509Certificate(await readFile(text));
  } catch (error) {
    throw new StartupError(
      `${shown(text)} is neither a SHA-256 fingerprint nor a file with a certificate (PEM)`,
      error,
    );
  }
}

function targetOf({
  cluster_dns,
  certificate_sha256,
  spki_sha256,
  issuer_sha256,
  serial,
}: Revocation): string {
  if (cluster_dns !== undefined) return `cluster ${cluster_dns}`;
  if (certificate_sha256 !== undefined) return `certificate ${certificate_sha256}`;
  if (spki_sha256 !== undefined) return `key ${spki_sha256}`;
  return `serial ${serial} of ${issuer_sha256}`;
}

export async function listRevocations(
  context: TerminalContext,
  options: ApiOptions & OutputOptions,
): Promise<void> {
  const { send } = await openSession(context, options);
  const revocations = await listed<Revocation>(send, { path: '/revocations' });
  await printRows(context, options, revocations, {
    columns: [
      { heading: 'ID', of: ({ id }) => id },
      { heading: 'STATE', of: ({ state }) => state },
      { heading: 'MADE', of: ({ created_at }) => created_at },
      { heading: 'BY', of: ({ created_by }) => created_by },
      { heading: 'UNTIL', of: ({ until }) => until },
      { heading: 'REFUSED', of: ({ attempts }) => attempts },
      { heading: 'REASON', of: ({ reason }) => reason },
      { heading: 'WHAT', of: targetOf },
    ],
    name: ({ id }) => `revocation/${id}`,
    none: 'nothing is revoked',
  });
}

export async function liftRevocation(
  context: TerminalContext,
  id: string,
  options: ApiOptions & OutputOptions,
): Promise<void> {
  assertId(id, 'rev-', 'revoke list');
  const { send } = await openSession(context, options);
  const path = `/revocations/${segment(id)}`;
  const lifted = recordOf(await answered(send, { method: 'DELETE', path }));
  if (options.output === 'json' || options.output === 'yaml') return printDocument(context, options, lifted);
  const revocation = lifted as unknown as Revocation;
  const others = await inForce(send, revocation);
  const now =
    others === undefined
      ? 'whether another one refuses it: fluxgate revoke list'
      : others.length > 0
        ? `still refused by ${others.join(', ')}`
        : 'no revocation names it any more';
  context.print(shown(`revocation ${id} of ${targetOf(revocation)} is lifted: ${now}`));
}
