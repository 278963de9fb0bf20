import { createHash, X509Certificate } from 'node:crypto';
import type { Session } from '../api/session.ts';
import { CommandFailed, type TerminalContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ask, canAsk } from '../output/ask.ts';
import { counted, shown } from '../output/text.ts';
import { type Authority, reportOf } from './report.ts';

/** `sha256`: of a certificate or a key. */
export interface Named {
  /** Where a file with it was given. */
  readonly certificate: X509Certificate | undefined;
  readonly sha256: string | undefined;
  readonly issuer: string | undefined;
  readonly serial: string | undefined;
}

/** As many as GET /trust gives: whoever asks may be the last of them. */
const NAMES_MAX = 10_000;

/** Whoever revokes what they ask with cannot lift it again, and with a CA go all that it has issued. */
export async function assertMeant(context: TerminalContext, session: Session, named: Named): Promise<void> {
  const chain = chainOf(session);
  const warnings = [
    ...(isNamed(chain, named)
      ? ['This command asks with what it would revoke: it could not lift that again.']
      : []),
    ...(await authoritiesNamed(session, chain, named)),
  ];
  if (warnings.length === 0) return;
  const what = warnings.join(' ');
  if (!canAsk(context)) {
    throw new CommandFailed(
      `${what} Nothing was revoked; --yes revokes it all the same`,
      undefined,
      EXIT.needsConfirmation,
    );
  }
  context.terminal.errors.write(`${what}\n`);
  if ((await ask(context, 'Revoke it? Only "yes" does: ')) !== 'yes') {
    throw new CommandFailed('nothing was revoked', undefined, EXIT.needsConfirmation);
  }
}

function chainOf({ certificate = '' }: Session): readonly X509Certificate[] {
  const chain = certificate.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return chain.map((pem) => new X509Certificate(pem));
}

function isNamed(chain: readonly X509Certificate[], { sha256, issuer, serial }: Named): boolean {
  if (serial === undefined) {
    return chain.some(({ raw, publicKey }) =>
      [raw, publicKey.export({ type: 'spki', format: 'der' })].some(
        (octets) => sha256Of(octets) === hexOf(sha256),
      ),
    );
  }
  return chain.some((one) => {
    if (serialOf(one.serialNumber) !== serialOf(serial)) return false;
    // Whose serial it is stands in the chain, or nobody here knows: then it may be this one.
    const issuers = chain.filter((other) => other !== one && one.checkIssued(other));
    return issuers.length === 0 || issuers.some(({ raw }) => sha256Of(raw) === hexOf(issuer));
  });
}

/** A line for each CA that is named. Whoever may not read GET /trust is told what the certificate says of itself. */
async function authoritiesNamed(
  session: Session,
  chain: readonly X509Certificate[],
  named: Named,
): Promise<readonly string[]> {
  const { certificate } = named;
  const known = (await authoritiesOf(session)) ?? [];
  const found = known.filter((one) => isAuthorityNamed(one, known, named));
  if (found.length > 0) {
    const distinct = [...new Set(found.map(({ sha256 }) => sha256))];
    return distinct.map((sha256) =>
      authorityLine(
        found.filter((one) => one.sha256 === sha256),
        chain,
      ),
    );
  }
  if (certificate?.ca !== true) return [];
  const own = chain.some((one) => one.checkIssued(certificate) && one.verify(certificate.publicKey));
  const subject = shown(certificate.subject.replaceAll('\n', ', '));
  return [`${subject} is a CA${own ? ': it issued what this command asks with' : ''}.`];
}

async function authoritiesOf(session: Session): Promise<readonly Authority[] | undefined> {
  try {
    return (await reportOf(session, { limit: NAMES_MAX })).authorities;
  } catch (error) {
    if (error instanceof CommandFailed && error.exitCode === EXIT.refused) return undefined;
    throw error;
  }
}

function isAuthorityNamed(
  one: Authority,
  known: readonly Authority[],
  { sha256, issuer, serial }: Named,
): boolean {
  if (serial === undefined) return [one.sha256, one.spki_sha256].includes(hexOf(sha256) ?? '');
  return (
    serialOf(one.serial) === serialOf(serial) &&
    known.some((other) => other.sha256 === hexOf(issuer) && other.subject === one.issuer)
  );
}

/** `entries`: of one certificate, which may be in the bundle for clusters and in the one for operators. */
function authorityLine(entries: readonly Authority[], chain: readonly X509Certificate[]): string {
  const [{ subject } = { subject: '' }] = entries;
  const inForce = entries.filter(({ status }) => status === 'in_force');
  if (inForce.length === 0) return shown(`${subject} is a CA that is only watched.`);
  const seen = (of: string): number =>
    inForce.filter(({ kind }) => kind === of).reduce((sum, { last_seen }) => sum + last_seen.total, 0);
  const names = new Set(inForce.flatMap(({ last_seen }) => last_seen.names));
  const you = ownNames(chain).some((name) => names.has(name)) ? ', you among them' : '';
  return shown(
    `${subject} is a CA: ${counted(seen('cluster'), 'cluster')} and ${counted(seen('operator'), 'operator')} were last seen under it${you}.`,
  );
}

const ownNames = ([leaf]: readonly X509Certificate[]): readonly string[] =>
  (leaf?.subjectAltName ?? '')
    .split(', ')
    .map((name) => name.replace(/^(?:email|DNS|URI):/, '').toLowerCase());
const sha256Of = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex');
const hexOf = (text: string | undefined): string | undefined => text?.replaceAll(':', '').toLowerCase();
/** Leading zeros are a matter of who printed it. */
const serialOf = (text: string): string | undefined => hexOf(text)?.replace(/^0+(?=.)/, '');
