import { readFile } from 'node:fs/promises';
import { StartupError } from '../../core/errors.ts';
import { refusalWithMeant } from '../api/meant.ts';
import { listed, recordOf } from '../api/pages.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { printPaged } from '../output/pager.ts';
import { createPaint, type Paint } from '../output/paint.ts';
import { printDocument } from '../output/rows.ts';
import { shown } from '../output/text.ts';
import type { ExplainOptions } from './report.ts';
import { fingerprintOf } from './revocations.ts';

interface Step {
  readonly rule?: string;
  readonly step?: string;
  readonly position?: string;
  readonly bundle?: string;
  readonly passed: boolean;
  readonly saw: string;
  readonly decided?: boolean;
}

interface Explanation {
  readonly outcome: string;
  readonly principal?: string;
  readonly rule?: string;
  readonly position?: string;
  readonly detail?: string;
  readonly steps: readonly Step[];
  readonly steps_left_out: number;
  readonly request?: {
    readonly method: string;
    readonly path: string;
    readonly status: number;
    readonly reason: string;
    readonly policies: readonly string[];
    readonly steps: readonly Step[];
  };
}

/** Of openapi.yaml's, what is printed. */
interface RememberedRefusal {
  readonly status: number;
  readonly error: string;
  readonly reason: string;
  readonly source: string;
  readonly method: string;
  readonly path: string;
  readonly policies: readonly string[];
  readonly certificate_sha256?: string;
}

export async function explain(context: TerminalContext, options: ExplainOptions): Promise<void> {
  const { requestId, certificate, chain, path, method, source, at } = options;
  if ([requestId, certificate, chain].filter((question) => question !== undefined).length !== 1) {
    throw new StartupError('say about what, one of: --request-id ID, --certificate SHA256, --chain FILE');
  }
  assertWhole(options);
  const body = {
    request_id: requestId,
    certificate_sha256: certificate === undefined ? undefined : await fingerprintOf(certificate),
    chain_pem: chain === undefined ? undefined : await pemOf(chain),
    path,
    method,
    source,
    at,
  };
  const { send } = await openSession(context, options);
  const said = await send({ method: 'POST', path: '/explain', body, flags: FLAGS });
  if (said.status === 404 && requestId !== undefined) {
    const [refusal] = await listed<RememberedRefusal>(send, {
      path: '/refusals',
      query: { request_id: requestId },
    });
    if (refusal !== undefined) return printRefusal(context, options, refusal);
  }
  if (said.status !== 200) throw await refusalWithMeant(send, said);
  const answer = recordOf(said);
  if (options.output !== 'table') return printDocument(context, options, answer);
  await printPaged(
    context,
    explanationLines(answer as unknown as Explanation, createPaint(context.terminal.output)),
    options.pager ?? true,
  );
}

const FLAGS = Object.freeze({
  '/request_id': '--request-id',
  '/certificate_sha256': '--certificate',
  '/chain_pem': '--chain',
  '/path': '--path',
  '/method': '--method',
  '/source': '--source',
  '/at': '--at',
});

/** Of a request that is remembered everything is known, of a certificate where it came from, and of a file nothing. */
function assertWhole({ requestId, chain, path, method, source }: ExplainOptions): void {
  const beside = [
    ...(method === undefined ? [] : ['--method']),
    ...(source === undefined ? [] : ['--source']),
  ];
  if (requestId === undefined && path === undefined && beside.length > 0) {
    throw new StartupError(`say which request, beside ${beside.join(' and ')}: --path PATH`);
  }
  if (chain !== undefined && path !== undefined && source === undefined) {
    throw new StartupError('say where the request would come from, beside --path: --source ADDRESS');
  }
}

/** Of a request in which no certificate was judged: there are no rules to go through, and the reason is kept all the same. */
async function printRefusal(
  context: TerminalContext,
  options: ExplainOptions,
  refusal: RememberedRefusal,
): Promise<void> {
  if (options.output !== 'table') return printDocument(context, options, { ...refusal });
  const { status, error, reason, method, path, source, policies, certificate_sha256: sha256 } = refusal;
  const by = policies.length === 0 ? '' : ` (${policies.join(', ')})`;
  const paint = createPaint(context.terminal.output);
  context.print(paint('bold', shown(`refused: ${error}`)));
  context.print(shown(`${method} ${path} from ${source}: ${status}, ${reason}${by}`));
  context.print(
    sha256 === undefined
      ? 'nothing is remembered of a certificate of it: this is all that is known'
      : `it came with the certificate ${sha256}, of which nothing more is remembered: this is all that is known`,
  );
}

/** The verdict first, then the steps as they were taken; what a step says is not said again by the verdict. */
function explanationLines(explanation: Explanation, paint: Paint): string[] {
  const { outcome, principal, rule, position, detail, steps, steps_left_out, request } = explanation;
  const decided = steps.some((step) => step.decided === true);
  const why = [rule, position, decided ? undefined : detail].filter((part) => part !== undefined);
  const verdict = [outcome, ...(principal === undefined ? [] : [principal])].join(': ');
  const lines = [
    paint('bold', shown(why.length === 0 ? verdict : `${verdict}: ${why.join(', ')}`)),
    ...asOne(steps).map((step) => stepLine(step, paint, outcome === 'refused')),
  ];
  if (steps_left_out > 0) lines.push(`… and ${steps_left_out} steps more`);
  if (request === undefined) return lines;
  const policies = request.policies.length === 0 ? '' : ` (${request.policies.join(', ')})`;
  const isTold = request.steps.some(({ passed, saw }) => !passed && saw === request.reason);
  const reason = isTold ? '' : `, ${request.reason}`;
  return [
    ...lines,
    '',
    paint('bold', shown(`${request.method} ${request.path}: ${request.status}${reason}${policies}`)),
    ...request.steps.map((step) => {
      const isVerdict = step.step === 'certificate' && !step.passed && decided;
      return stepLine(isVerdict ? { ...step, saw: `${rule ?? ''}, as above` } : step, paint, true);
    }),
  ];
}

/** Where both bundles say the same of a certificate, it is said once, of both. */
function asOne(steps: readonly Step[]): readonly Step[] {
  const told: Step[] = [];
  for (const step of steps) {
    const last = told.at(-1);
    const same =
      last?.bundle !== undefined &&
      step.bundle !== undefined &&
      last.bundle !== step.bundle &&
      !last.passed &&
      !step.passed &&
      last.rule === step.rule &&
      last.position === step.position &&
      last.saw.replaceAll(last.bundle, step.bundle) === step.saw;
    if (!same) {
      told.push(step);
      continue;
    }
    const { bundle = '', saw } = last;
    const and = saw.includes(`neither ${bundle} nor`) ? 'nor' : 'and';
    told[told.length - 1] = { ...step, saw: saw.replace(bundle, () => `${bundle} ${and} ${step.bundle}`) };
  }
  return told;
}

/** What failed where another way was found, such as in the bundle of the other kind, is no failure: `–`. */
function stepLine(
  { rule, step, position, passed, decided, saw }: Step,
  paint: Paint,
  refused: boolean,
): string {
  const where = position === undefined ? '' : ` (${position})`;
  const failed = !passed && (refused || decided === true);
  const text = shown(`${passed ? '✓' : failed ? '✗' : '–'} ${rule ?? step ?? ''}${where}: ${saw}`);
  if (passed) return paint('green', text);
  return failed ? paint('red', text) : text;
}

async function pemOf(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new StartupError(`--chain: ${error instanceof Error ? error.message : String(error)}`, error);
  });
  // A file for a Secret may hold the key as well, which is nobody's business.
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (blocks === null) throw new StartupError(`--chain: ${path} holds no certificate (PEM)`);
  return `${blocks.join('\n')}\n`;
}
