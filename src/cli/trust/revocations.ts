import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { StartupError } from '../../core/errors.ts';
import type { ApiOptions, OutputOptions } from '../api/options.ts';
import { answered, listed, recordOf } from '../api/pages.ts';
import { segment } from '../api/path.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { printDocument, printRows } from '../output/rows.ts';
import { counted, shown } from '../output/text.ts';

export interface RevokeOptions extends ApiOptions, OutputOptions {
  readonly cluster?: string;
  readonly certificate?: string;
  readonly spki?: string;
  readonly issuer?: string;
  readonly serial?: string;
  readonly reason?: string;
  readonly until?: string;
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
  const { cluster, certificate, spki, issuer, serial, reason, until } = options;
  const named = [cluster, certificate, spki, issuer].filter((target) => target !== undefined);
  if (named.length !== 1 || (issuer === undefined) !== (serial === undefined)) {
    throw new StartupError(
      'say what is revoked, one of: --cluster DNS, --certificate FILE, --spki SHA256, --issuer SHA256 with --serial HEX',
    );
  }
  const body = {
    cluster_dns: cluster,
    certificate_sha256: certificate === undefined ? undefined : await fingerprintOf(certificate),
    spki_sha256: spki,
    issuer_sha256: issuer,
    serial,
    reason,
    until,
  };
  const { send } = await openSession(context, options);
  const proof = recordOf(await answered(send, { method: 'POST', path: '/revocations', body }));
  if (options.output === 'name') return context.print(`revocation/${shown(String(proof['id']))}`);
  if (options.output !== 'table') return printDocument(context, options, proof);
  context.print(
    shown(
      `revocation ${String(proof['id'])} of ${targetOf(proof as unknown as Revocation)} is in force since ${String(proof['in_force_at'])}; ` +
        `${counted(Number(proof['connections_closed']), 'open connection')} ended`,
    ),
  );
}

/** In hex, or of the first certificate in a PEM file. */
export async function fingerprintOf(text: string): Promise<string> {
  if (/^[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}$/.test(text)) return text;
  try {
    return new X509Certificate(await readFile(text)).fingerprint256;
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
  const { send } = await openSession(context, options);
  const path = `/revocations/${segment(id)}`;
  const lifted = recordOf(await answered(send, { method: 'DELETE', path }));
  if (options.output === 'json' || options.output === 'yaml') return printDocument(context, options, lifted);
  context.print(
    shown(`revocation ${id} is lifted: ${targetOf(lifted as unknown as Revocation)} is let in again`),
  );
}
