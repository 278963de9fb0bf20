import { boundedMemory } from '../../core/bounded-memory.ts';
import type { ErrorCode, FluxgateError } from '../../core/errors.ts';
import { type CertificatePrincipal, describePrincipal, tokenIdOf } from '../../core/identity/principal.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Decision } from '../../core/policy/decide.ts';
import type { Clock } from '../clock.ts';
import type { BoundedLines } from '../edge/bounded-lines.ts';
import { type Log, readyLines } from '../log.ts';
import type { Revocations } from '../revocations.ts';
import { loggedPresented, loggedRefusal } from './logged-certificate.ts';
import type { RecordRequest, RequestRecord } from './pipeline.ts';
import { shownPath } from './shown-path.ts';

/** The one log line of a request: who, from where, what, what was decided and by which policy, and how it ended. */
export function createRequestLog(
  log: Log,
  bounded: BoundedLines,
  clock: Clock,
  revocations: Pick<Revocations, 'attempted'>,
): RecordRequest {
  const ready = readyLines(log);
  return (record, status, error) => {
    const { principal } = record;
    const durationMs = Math.round((clock.elapsed() - record.startedMs) * 1_000) / 1_000;
    if (error === undefined && 'certificate' in principal && record.revocationId === undefined) {
      ready('answered', () => answeredFields(record, principal, status, durationMs));
      return;
    }
    const operation = record.operation?.operationId ?? 'none';
    if (record.revocationId !== undefined) revocations.attempted(record.revocationId);

    const line = () => ({
      request_id: record.requestId,
      source: record.source,
      principal: describePrincipal(record.principal),
      token_id: tokenIdOf(record.principal),
      ...certificateFields(record),
      method: record.method,
      path: shownPath(record.path, record.operation),
      operation,
      cluster: record.clusterDns,
      object: record.objectId,
      ...(record.revocationId === undefined ? {} : { revocation: record.revocationId }),
      ...(record.revision === undefined ? {} : { revision: record.revision }),
      ...(record.isDryRun ? { dry_run: true } : {}),
      ...(record.allowsSecrets ? { override: 'allow-suspected-secrets' } : {}),
      ...(record.decision === undefined
        ? {}
        : { decision: record.decision.allowed ? 'allow' : 'deny', policies: record.decision.policies }),
      status,
      duration_ms: durationMs,
      ...(error === undefined ? {} : { error: error.code, reason: error.logged ?? error.message }),
      ...(error?.details === undefined ? {} : { details: error.details.slice(0, 5) }),
    });
    // Whoever is nobody, and whoever asks too much, may do so without end.
    const endless = record.principal.kind === 'anonymous' || error?.code === 'rate_limited';
    if (error === undefined && endless) bounded.info('answered', line);
    else if (error === undefined) log.info(line(), 'answered');
    else if (error.cause !== undefined && error.code === 'unavailable') {
      log.error({ ...line(), err: error.cause }, 'could not answer');
    } else if (endless) bounded.warn('refused', line);
    else log.warn(line(), messageOf(record, error));
  };
}

/** Whoever asks may not; also whose right ended after they were let in. */
const REFUSALS: readonly ErrorCode[] = ['unauthenticated', 'forbidden', 'certificate_rejected'];

/** Policy let it in, so nobody was refused: what was asked for is not there, not right, or in the way of something. */
function messageOf({ decision }: RequestRecord, { code }: FluxgateError): string {
  return decision?.allowed === true && !REFUSALS.includes(code) ? 'answered with an error' : 'refused';
}

/** The same fields in the same order as above, of who came with a certificate and was answered: nearly every line there is. */
function answeredFields(
  record: RequestRecord,
  principal: CertificatePrincipal,
  status: number,
  durationMs: number,
): string {
  const { requestId, source, method, operation, clusterDns, objectId, decision } = record;
  const path = quoted(shownPath(record.path, operation));
  return (
    `"request_id":"${requestId}","source":"${source}",${principalFields(principal)},"method":"${method}",` +
    `"path":${path},"operation":"${operation?.operationId ?? 'none'}"` +
    (clusterDns === undefined ? '' : `,"cluster":${quoted(clusterDns)}`) +
    (objectId === undefined ? '' : `,"object":${quoted(objectId)}`) +
    (record.revision === undefined ? '' : `,"revision":${record.revision}`) +
    (record.isDryRun ? ',"dry_run":true' : '') +
    (record.allowsSecrets ? ',"override":"allow-suspected-secrets"' : '') +
    (decision === undefined ? '' : decisionFields(decision)) +
    `,"status":${status},"duration_ms":${durationMs}`
  );
}

/** ASCII without controls, quotation marks and backslashes: JSON has it as it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

/** Decisions are few, remembered by who made them, and what is said of them for as long as they are. */
const decisionTexts = new WeakMap<Decision, string>();

/** By the principal of a verdict that is remembered, which does not change. */
const operatorTexts = boundedMemory<CertificatePrincipal, string>(LIMITS.operatorsAtHandMax);

/** Kept for each of 100,000 clusters, it would be 35 MB; operators are fewer, and ask again on one connection. */
function principalFields(principal: CertificatePrincipal): string {
  if (principal.kind !== 'operator') return describedFields(principal);
  let text = operatorTexts.peek(principal);
  if (text === undefined) {
    // In one piece: put together, it would be gone through piece by piece for each line.
    text = Buffer.from(describedFields(principal)).toString();
    operatorTexts.set(principal, text);
  }
  return text;
}

/** Fingerprints and serials are hexadecimal digits. */
function describedFields(principal: CertificatePrincipal): string {
  const { sha256, serial, issuer, notAfter } = principal.certificate;
  return (
    `"principal":${quoted(describePrincipal(principal))},"certificate":{"sha256":"${sha256}","serial":"${serial}",` +
    `"issuer":${quoted(issuer)},"not_after":"${new Date(notAfter).toISOString()}"}`
  );
}

function decisionFields(decision: Decision): string {
  let text = decisionTexts.get(decision);
  if (text === undefined) {
    const { allowed, policies } = decision;
    text = `,${JSON.stringify({ decision: allowed ? 'allow' : 'deny', policies }).slice(1, -1)}`;
    decisionTexts.set(decision, text);
  }
  return text;
}

function shownCertificate({ sha256, serial, issuer, notAfter }: CertificatePrincipal['certificate']): object {
  return { sha256, serial, issuer, not_after: new Date(notAfter).toISOString() };
}

function certificateFields(record: RequestRecord): object {
  const { verdict } = record;
  if (verdict === undefined) return { presented: loggedPresented(record.presented) };
  if (!verdict.accepted) {
    const would =
      verdict.wouldBe === undefined ? {} : { would_be_accepted: describePrincipal(verdict.wouldBe) };
    return { certificate: { ...loggedRefusal(verdict.refusal), ...would } };
  }
  return { certificate: shownCertificate(verdict.principal.certificate) };
}
