import { readFile } from 'node:fs/promises';
import { StartupError } from '../../core/errors.ts';
import { answered, recordOf } from '../api/pages.ts';
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

export async function explain(context: TerminalContext, options: ExplainOptions): Promise<void> {
  const { requestId, certificate, chain, path, method, source, at } = options;
  if ([requestId, certificate, chain].filter((question) => question !== undefined).length !== 1) {
    throw new StartupError('say about what, one of: --request-id ID, --certificate SHA256, --chain FILE');
  }
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
  const answer = recordOf(await answered(send, { method: 'POST', path: '/explain', body }));
  if (options.output !== 'table') return printDocument(context, options, answer);
  await printPaged(
    context,
    explanationLines(answer as unknown as Explanation, createPaint(context.terminal.output)),
    options.pager ?? true,
  );
}

function explanationLines(explanation: Explanation, paint: Paint): string[] {
  const { outcome, principal, rule, position, detail, steps, steps_left_out, request } = explanation;
  const lines = steps.map((step) => stepLine(step, paint));
  if (steps_left_out > 0) lines.push(`… and ${steps_left_out} steps more`);
  const why = [rule, position, detail].filter((part) => part !== undefined).join(', ');
  lines.push(
    paint(
      'bold',
      shown(`${outcome}${principal === undefined ? '' : `: ${principal}`}${why === '' ? '' : `: ${why}`}`),
    ),
  );
  if (request === undefined) return lines;
  const policies = request.policies.length === 0 ? '' : ` (${request.policies.join(', ')})`;
  return [
    ...lines,
    '',
    ...request.steps.map((step) => stepLine(step, paint)),
    paint(
      'bold',
      shown(`${request.method} ${request.path}: ${request.status}, ${request.reason}${policies}`),
    ),
  ];
}

function stepLine({ rule, step, position, passed, saw }: Step, paint: Paint): string {
  const where = position === undefined ? '' : ` (${position})`;
  const text = shown(`${passed ? '✓' : '✗'} ${rule ?? step ?? ''}${where}: ${saw}`);
  return paint(passed ? 'green' : 'red', text);
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
