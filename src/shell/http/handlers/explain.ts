import { type ErrorDetail, FluxgateError, StartupError } from '../../../core/errors.ts';
import { readPemCertificates } from '../../../core/identity/pem.ts';
import { describePrincipal } from '../../../core/identity/principal.ts';
import { canonicalAddress } from '../../../core/networks.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { parseDateTime } from '../../../core/rfc3339.ts';
import { type Explanation, explain, notRemembered, type Question } from '../explain.ts';
import { shownPath } from '../shown-path.ts';
import type { Handler, HandlerParts } from './handlers.ts';
import { shownRefusal } from './refusals.ts';

/** Of the document's schema ExplainQuestion. */
interface ExplainBody {
  readonly chain_pem?: string;
  readonly certificate_sha256?: string;
  readonly request_id?: string;
  readonly method?: string;
  readonly path?: string;
  readonly source?: string;
  readonly at?: string;
}

/** Why somebody is, was or would be refused: by the code that judges requests, step by step. */
export function explainHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  if (operation.operationId !== 'explain') return undefined;
  return async ({ body }) => {
    const asked = body as ExplainBody;
    const atMs = readMoment(asked.at);
    const subject = await findSubject(asked, parts);
    const request = readRequest(asked, subject);
    const answer = await explain(parts.explain, {
      chain: subject.chain,
      // What OpenSSL said was said at the handshake: of another moment it says nothing.
      openssl: atMs === undefined ? subject.openssl : undefined,
      nowMs: atMs ?? parts.clock.now(),
      request,
    });
    return {
      status: 200,
      body: {
        at: new Date(atMs ?? parts.clock.now()).toISOString(),
        ...shown(answer, atMs === undefined ? subject.openssl : undefined),
        ...(answer.request === undefined || request === undefined
          ? {}
          : shownRequest(answer.request, request)),
        ...(subject.refusal === undefined ? {} : { refusal: subject.refusal }),
      },
    };
  };
}

interface Subject extends Pick<Question, 'chain' | 'openssl'> {
  /** What the remembered request asked for, and from where. */
  readonly request: Partial<NonNullable<Question['request']>>;
  readonly refusal: object | undefined;
}

async function findSubject(asked: ExplainBody, parts: HandlerParts): Promise<Subject> {
  const named = [asked.chain_pem, asked.certificate_sha256, asked.request_id].filter(
    (one) => one !== undefined,
  );
  if (named.length !== 1) {
    throw invalid('/', 'must have exactly one of chain_pem, certificate_sha256 and request_id');
  }
  if (asked.chain_pem !== undefined) {
    return { chain: readChain(asked.chain_pem), openssl: undefined, request: {}, refusal: undefined };
  }
  if (asked.request_id === undefined) {
    const sha256 = (asked.certificate_sha256 ?? '').replaceAll(':', '').toLowerCase();
    const recent = await recalled(sha256, parts);
    if (recent === undefined) throw notRemembered('certificate');
    return { ...recent, request: { source: recent.source }, refusal: undefined };
  }
  const refused = parts.refusals.ofRequest(asked.request_id);
  if (refused === undefined) throw notRemembered('request');
  const { group } = refused;
  const { certificateSha256: sha256 } = group;
  const recent = sha256 === undefined ? undefined : await recalled(sha256, parts);
  if (recent === undefined) throw notRemembered("request's certificate (GET /refusals tells what is)");
  const { method, path, source } = group;
  return {
    ...recent,
    request: { method, path, source },
    refusal: shownRefusal({ group, knownBy: undefined }),
  };
}

type Recalled = Pick<Subject, 'chain' | 'openssl'> & { readonly source: string };

/** What was presented with a certificate; longer ago, or to another worker: what OpenSSL said of it is not known any more. */
async function recalled(
  sha256: string,
  { recentChains, sightings: { presentations } }: HandlerParts,
): Promise<Recalled | undefined> {
  const recent = recentChains.get(sha256);
  if (recent !== undefined) return recent;
  await presentations.loaded();
  const found = presentations.withCertificate(sha256);
  const presented = found && (await presentations.withChain(found));
  if (presented?.certificate?.sha256 !== sha256) return undefined;
  return { chain: presented.chain, openssl: undefined, source: presented.source };
}

function readChain(pem: string): readonly Uint8Array[] {
  try {
    return readPemCertificates(pem, 'the chain');
  } catch (error) {
    if (error instanceof StartupError) throw invalid('/chain_pem', error.message);
    throw error;
  }
}

function readMoment(at: string | undefined): number | undefined {
  if (at === undefined) return undefined;
  const ms = parseDateTime(at);
  if (ms === undefined) throw invalid('/at', 'must be a moment that exists, as in 2030-01-31T12:00:00Z');
  return ms;
}

/** The body's own words come before those of the remembered request. */
function readRequest(asked: ExplainBody, { request }: Subject): Question['request'] {
  const path = asked.path ?? request.path;
  if (path === undefined) {
    if (asked.method === undefined && asked.source === undefined) return undefined;
    throw invalid('/path', 'is required beside method and source');
  }
  const source = asked.source ?? request.source;
  if (source === undefined) throw invalid('/source', 'is required beside path: where would it come from?');
  const address = canonicalAddress(source);
  if (address === undefined) throw invalid('/source', 'must be an IP address');
  return { method: asked.method ?? request.method ?? 'GET', path, source: address };
}

function invalid(field: string, problem: string): FluxgateError {
  const details: readonly ErrorDetail[] = [{ field, problem }];
  return new FluxgateError('validation_error', 'The question is not valid; see details.', { details });
}

function shown(
  { generation, verdict, steps, stepsLeftOut }: Explanation,
  openssl: Question['openssl'],
): object {
  const outcome = !verdict.accepted
    ? 'refused'
    : openssl === undefined
      ? 'accepted_if_openssl_agrees'
      : 'accepted';
  return {
    generation,
    outcome,
    openssl:
      openssl === undefined ? 'not asked' : openssl.authorized ? 'accepted' : `refused: ${openssl.error}`,
    ...(verdict.accepted
      ? {
          principal: describePrincipal(verdict.principal),
          certificate_sha256: verdict.principal.certificate.sha256,
        }
      : shownVerdict(verdict.refusal)),
    steps: steps.map(({ rule, position, bundle, passed, saw, decided }) => ({
      rule,
      position,
      ...(bundle === undefined ? {} : { bundle }),
      passed,
      saw: bounded(saw),
      ...(decided ? { decided } : {}),
    })),
    steps_left_out: stepsLeftOut,
  };
}

function shownVerdict(refusal: Extract<Explanation['verdict'], { accepted: false }>['refusal']): object {
  const { sha256, rule, position, detail, revocationId } = refusal;
  return {
    ...(sha256 === '' ? {} : { certificate_sha256: sha256 }),
    rule,
    position,
    detail,
    ...(revocationId === undefined ? {} : { revocation: revocationId }),
  };
}

function shownRequest(
  { status, error, reason, admission, steps }: NonNullable<Explanation['request']>,
  { method, path, source }: NonNullable<Question['request']>,
): object {
  return {
    request: {
      method,
      path: shownPath(path, admission.operation),
      source,
      status,
      ...(error === undefined ? {} : { error }),
      reason: bounded(reason),
      ...(admission.operation === undefined ? {} : { operation: admission.operation.operationId }),
      policies: admission.decision?.policies ?? [],
      steps: steps.map(({ step, passed, saw }) => ({ step, passed, saw: bounded(saw) })),
    },
  };
}

const TEXT_CHARACTERS_MAX = 2_000;
const bounded = (text: string): string =>
  text.length > TEXT_CHARACTERS_MAX ? `${text.slice(0, TEXT_CHARACTERS_MAX - 1)}…` : text;
