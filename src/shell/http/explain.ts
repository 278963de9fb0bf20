import type { Config } from '../../core/config.ts';
import { FluxgateError } from '../../core/errors.ts';
import { type JudgeInput, judge, suppose } from '../../core/identity/judge.ts';
import { ANONYMOUS, describePrincipal } from '../../core/identity/principal.ts';
import type { Step, Trace } from '../../core/identity/trace.ts';
import type { Verdict } from '../../core/identity/verdict.ts';
import { LIMITS } from '../../core/limits.ts';
import { revocationOf } from '../../core/snapshot.ts';
import type { LiveTrust } from '../live-trust.ts';
import type { KeyPins } from '../pins.ts';
import type { RecentChain } from '../recent-chains.ts';
import { type Admission, type AdmissionParts, type AdmissionStep, admit, holdToPin } from './admission.ts';
import { asFluxgateError } from './respond.ts';
import { readTarget } from './target.ts';

/** What is asked: a chain, and perhaps a request that it comes with. */
export interface Question {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** Of the handshake in which the chain was presented; undefined: it was in none, so OpenSSL is not asked. */
  readonly openssl: RecentChain['openssl'] | undefined;
  readonly nowMs: number;
  readonly request: { readonly method: string; readonly path: string; readonly source: string } | undefined;
}

export interface ExplainedStep extends Step {
  /** The step by which it was decided. */
  readonly decided: boolean;
}

export interface ExplainedRequest {
  readonly status: number;
  readonly error: string | undefined;
  readonly reason: string;
  readonly admission: Admission;
  readonly steps: readonly { readonly step: AdmissionStep; readonly passed: boolean; readonly saw: string }[];
}

export interface Explanation {
  readonly generation: number;
  readonly verdict: Verdict;
  readonly steps: readonly ExplainedStep[];
  readonly stepsLeftOut: number;
  readonly request: ExplainedRequest | undefined;
}

export interface ExplainParts extends AdmissionParts {
  readonly config: Config;
  readonly trust: LiveTrust;
  readonly pins: Pick<KeyPins, 'peek'>;
}

/** The code that judges requests, with somebody listening. Nothing is remembered, counted or changed by it. */
export async function explain(parts: ExplainParts, question: Question): Promise<Explanation> {
  const { snapshot } = parts.trust;
  const steps: Step[] = [];
  let told = 0;
  const trace: Trace = (step) => {
    told++;
    // The last ones decide, so the bound takes from the middle.
    if (steps.length >= LIMITS.explainedStepsMax) steps.splice(LIMITS.explainedStepsMax / 2, 1);
    steps.push(step);
  };
  const input: Omit<JudgeInput, 'openssl'> = {
    presented: question.chain,
    trust: snapshot.trust,
    revocation: revocationOf(snapshot),
    revokedClusters: snapshot.revocations,
    nowMs: question.nowMs,
    trace,
  };
  const ofChain =
    question.openssl === undefined ? suppose(input).supposed : judge({ ...input, openssl: question.openssl });
  const verdict = holdToPin(ofChain, (cluster) => {
    const answer = parts.pins.peek(cluster, question.nowMs);
    if (answer === undefined) return undefined;
    const { refusal, saw } = answer;
    trace({ rule: 'key_pin', position: 'leaf', passed: refusal === undefined, saw: refusal?.detail ?? saw });
    return refusal;
  });
  return {
    generation: snapshot.generation,
    verdict,
    steps: markDecisive(steps, verdict),
    stepsLeftOut: told - steps.length,
    request: question.request === undefined ? undefined : await explainRequest(parts, question, verdict),
  };
}

function markDecisive(steps: readonly Step[], verdict: Verdict): readonly ExplainedStep[] {
  const refusal = verdict.accepted ? undefined : verdict.refusal;
  const decisive = steps.findLastIndex(
    ({ passed, rule, position }) => !passed && rule === refusal?.rule && position === refusal.position,
  );
  return steps.map((step, index) => ({ ...step, decided: index === decisive }));
}

async function explainRequest(
  parts: ExplainParts,
  { request, nowMs }: Question,
  verdict: Verdict,
): Promise<ExplainedRequest> {
  const steps: { step: AdmissionStep; passed: boolean; saw: string }[] = [];
  const admission: Admission = {
    operation: undefined,
    verdict: undefined,
    principal: ANONYMOUS,
    clusterDns: undefined,
    objectId: undefined,
    cluster: undefined,
    decision: undefined,
    revocationId: undefined,
  };
  const { method = '', path = '', source = '' } = request ?? {};
  try {
    const asked = {
      method,
      target: readTarget(path),
      source,
      allowsSecrets: false,
      nowMs,
      verdict: () => verdict,
      withoutCertificate: () => ANONYMOUS,
    };
    await admit(parts, asked, admission, (step, saw) => steps.push({ step, passed: true, saw }));
    const reason = `let in as ${describePrincipal(admission.principal)}; what is asked for is not looked at here`;
    return { status: 200, error: undefined, reason, admission, steps };
  } catch (problem) {
    const error = asFluxgateError(problem);
    // A store that cannot be read is a fault now, and not an answer to what would be.
    if (error.code === 'unavailable') throw problem;
    const reason = error.logged ?? error.message;
    const failed = ORDER.find(
      (step) => !steps.some((passed) => passed.step === step) && applies(step, admission),
    );
    if (failed !== undefined) steps.push({ step: failed, passed: false, saw: reason });
    return { status: error.status, error: error.code, reason, admission, steps };
  }
}

const ORDER: readonly AdmissionStep[] = [
  'route',
  'cluster_dns',
  'network',
  'certificate',
  'operation',
  'policy',
];

function applies(step: AdmissionStep, { clusterDns }: Admission): boolean {
  return step !== 'cluster_dns' || clusterDns !== undefined;
}

export function notRemembered(what: string): FluxgateError {
  return new FluxgateError(
    'not_found',
    `Nothing is remembered of this ${what}: it was too long ago, at another process, or never. Send chain_pem instead.`,
  );
}
