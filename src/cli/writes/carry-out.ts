import { randomUUID } from 'node:crypto';
import { errorBody } from '../api/failures.ts';
import { refusalWithMeant } from '../api/meant.ts';
import { recordOf } from '../api/pages.ts';
import type { Session } from '../api/session.ts';
import type { ApiAnswer, ApiRequest } from '../api/transport.ts';
import { CommandFailed, type TerminalContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ask, canAsk } from '../output/ask.ts';
import { jsonText, yamlText } from '../output/documents.ts';
import { createPaint } from '../output/paint.ts';
import { planLines } from '../output/plan-text.ts';
import { createProgress } from '../output/progress.ts';
import type { WriteOptions } from './options.ts';
import { type AnyPlan, asPlan } from './plan-shape.ts';
import { commandToRepeat } from './repeat.ts';
import { sendTold } from './send-told.ts';

/** One change of the fleet, as one request. */
export interface Write {
  readonly request: ApiRequest;
  /** Its whole effect does not stand on the command line: the plan is shown before it is carried out. */
  readonly planFirst?: boolean;
  /** Sent twice it would happen twice. */
  readonly creates?: boolean;
  /** The operation takes a Change-Reason. */
  readonly reason?: boolean;
  /** For the line that tells that it goes on. */
  readonly what?: string;
  /** The gateway tells how far it has come. */
  readonly tellsProgress?: boolean;
  /** So many objects the command names, each in a write of its own: a hash is of the one whose plan it names, and what was not written is this one. */
  readonly among?: number;
}

/** Clusters of a plan that are shown; the totals are of all. */
const CLUSTERS_SHOWN = 20;

/**
 * Sends a change through plan and guard. Resolves with the answer, or with undefined where a plan was all that was asked for (it
 * was printed). Throws CommandFailed where nothing was written: with the command to repeat, where a plan needs a yes.
 */
export async function carryOut(
  context: TerminalContext,
  { send }: Session,
  write: Write,
  options: WriteOptions,
): Promise<ApiAnswer | undefined> {
  const run = createRun(context, send, write, options);
  if (options.dryRun === true || options.diff === true) {
    const plan = await run.plan();
    run.print(plan);
    if (options.diff === true && changesAnything(plan)) throw new CommandFailed('', undefined, EXIT.failed);
    return undefined;
  }
  const several = (write.among ?? 1) > 1;
  let confirmed = several ? undefined : options.planHash;
  // A hash is of a plan that was looked at.
  if (write.planFirst === true && options.yes !== true && options.planHash === undefined) {
    const plan = await run.plan();
    if (changesAnything(plan)) {
      if (!canAsk(context)) throw run.stopAt(plan);
      run.show(plan);
      confirmed = await run.confirmed(plan);
    }
  }
  for (;;) {
    const answer = await run.send(confirmed);
    if (answer.status >= 200 && answer.status <= 299) return answer;
    const { error, plan: summary } = errorBody(answer);
    if (answer.status !== 409 || summary === undefined) throw await run.refused(answer);
    if (error === 'approval_required') throw run.needsApproval(asPlan(summary));
    if (several && confirmed === undefined && asPlan(summary).plan_hash === options.planHash) {
      confirmed = options.planHash;
      continue;
    }
    const plan = await run.plan().catch(() => asPlan(summary));
    if (confirmed !== undefined) {
      context.terminal.errors.write(
        'This is not the plan that was confirmed: the fleet has changed since.\n',
      );
    }
    run.show(plan);
    if (options.yes === true || !canAsk(context)) throw run.needsConfirmation(plan);
    confirmed = await run.confirmed(plan);
  }
}

function createRun(context: TerminalContext, send: Session['send'], write: Write, options: WriteOptions) {
  const { request, creates = false, what = 'the gateway plans' } = write;
  const { errors, output } = context.terminal;
  const key = creates ? (options.idempotencyKey ?? randomUUID()) : undefined;
  const headers = {
    ...request.headers,
    'if-match': options.ifMatch,
    'change-reason': write.reason === true ? reasonHeader(options.reason) : undefined,
  };
  const waiting = async (wanted: ApiRequest): Promise<ApiAnswer> => {
    const progress = createProgress(errors);
    progress.waiting(what);
    try {
      if (write.tellsProgress !== true || !errors.isTTY) return await send(wanted);
      return await sendTold(send, wanted, progress, what);
    } finally {
      progress.end();
    }
  };
  const nothingWritten = (write.among ?? 1) > 1 ? 'nothing of it was written' : 'nothing was written';
  const refused = async (answer: ApiAnswer): Promise<CommandFailed> =>
    await refusalWithMeant(send, answer, nothingWritten);
  return {
    refused,
    send: (confirmed: string | undefined) =>
      waiting({
        ...request,
        headers: { ...headers, 'idempotency-key': key, 'confirm-plan': confirmed },
      }),
    async plan(): Promise<AnyPlan> {
      const query = { ...request.query, dry_run: true, limit: CLUSTERS_SHOWN };
      const answer = await waiting({ ...request, query, headers });
      if (answer.status !== 200) throw await refused(answer);
      const { plan = answer.body } = recordOf(answer);
      return asPlan(plan);
    },
    /** On standard output: it is what was asked for. */
    print(plan: AnyPlan): void {
      if (options.output === 'json') context.print(jsonText(plan));
      else if (options.output === 'yaml') context.print(yamlText(plan));
      else for (const line of planLines(plan, createPaint(output))) context.print(line);
    },
    /** On standard error: it comes before the answer. */
    show(plan: AnyPlan): void {
      for (const line of planLines(plan, createPaint(errors))) errors.write(`${line}\n`);
    },
    async confirmed(plan: AnyPlan): Promise<string> {
      const answer = await ask(context, 'Carry this out? Only "yes" does: ');
      if (answer === 'yes') return plan.plan_hash;
      throw new CommandFailed(nothingWritten, undefined, EXIT.needsConfirmation);
    },
    stopAt(plan: AnyPlan): CommandFailed {
      this.print(plan);
      return new CommandFailed(
        `${nothingWritten}; to carry it out:\n  ${repeat(context, plan)}`,
        undefined,
        EXIT.needsConfirmation,
      );
    },
    needsConfirmation: (plan: AnyPlan) =>
      new CommandFailed(
        `prune_guard: ${nothingWritten}, because this takes away what clusters run. To carry out exactly this plan:\n  ${repeat(context, plan)}`,
        undefined,
        EXIT.needsConfirmation,
      ),
    needsApproval(plan: AnyPlan): CommandFailed {
      this.show(plan);
      const hash = plan.plan_hash;
      return new CommandFailed(
        `approval_required: ${nothingWritten}; somebody else has to approve it first, within a day:\n` +
          `  ${context.invocation} plan approve ${hash}\nThen the same again:\n  ${commandToRepeat(context, hash)}`,
        undefined,
        EXIT.needsApproval,
      );
    },
  };
}

/** A write of what is there already is planned as an object that is replaced, without a field. */
function changesAnything({ objects = [], objects_changed, clusters_affected }: AnyPlan): boolean {
  if (clusters_affected > 0 || objects_changed > objects.length) return true;
  return objects.some(({ change, fields }) => change !== 'replaced' || fields.length > 0);
}

/** The hash only where the plan asks for it: what needs none is carried out whatever else changes meanwhile. */
function repeat(context: TerminalContext, { needs_confirmation, plan_hash }: AnyPlan): string {
  return commandToRepeat(context, needs_confirmation ? plan_hash : undefined);
}

/** Header values are octets. */
function reasonHeader(reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : Buffer.from(reason, 'utf8').toString('latin1');
}
