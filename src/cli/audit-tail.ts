import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../shell/clock.ts';
import type { ApiOptions } from './api/options.ts';
import { answered, listed, recordOf } from './api/pages.ts';
import { openSession, type Session } from './api/session.ts';
import type { AuditTailOptions } from './audit.ts';
import { assertFindable } from './audit-findable.ts';
import type { TerminalContext } from './context.ts';
import { jsonLine, jsonText, yamlText } from './output/documents.ts';
import { createPaint, type Paint } from './output/paint.ts';
import { counted, shown } from './output/text.ts';
import { instant } from './output/time.ts';

interface AuditEntry {
  readonly sequence: number;
  readonly at: string;
  readonly event: string;
  readonly actor?: { readonly principal: string };
  readonly source?: string;
  readonly operation?: string;
  readonly object?: string;
  readonly details?: { readonly objects?: number };
  readonly reason?: string;
  readonly count?: number;
}

const LOOK_AGAIN_MS = 2_000;
/** The most that one look brings; what is more comes with the next. */
const AT_ONCE = 1_000;

export async function auditTail(context: TerminalContext, options: AuditTailOptions): Promise<void> {
  const now = systemClock.now();
  const session = await openSession(context, options);
  const query = {
    event: options.event,
    principal: options.principal,
    // As `component list -o name` prints it.
    object: options.object?.replace(/^component\//, 'platform_component/'),
    operation: options.operation,
    request_id: options.requestId,
    since: options.since === undefined ? undefined : instant('--since', options.since, now),
    until: options.until === undefined ? undefined : instant('--until', options.until, now),
  };
  const newest = await listed<AuditEntry>(session.send, { path: '/audit', query }, { limit: options.lines });
  if (newest.length === 0) await assertFindable(session.send, query);
  const entries = newest.toReversed();
  const follows = options.follow === true;
  print(context, options, inTime(entries), follows);
  if (follows) await follow(context, options, session, query, entries.at(-1)?.sequence ?? 0);
}

async function follow(
  context: TerminalContext,
  options: AuditTailOptions,
  session: Session,
  query: Readonly<Record<string, string | undefined>>,
  last: number,
): Promise<never> {
  for (let seen = last; ; ) {
    await sleep(LOOK_AGAIN_MS);
    const { body } = await answered(session.send, { path: '/audit', query: { ...query, limit: AT_ONCE } });
    const fresh = (body as readonly AuditEntry[]).filter(({ sequence }) => sequence > seen).toReversed();
    print(context, options, inTime(fresh), true);
    seen = fresh.at(-1)?.sequence ?? seen;
  }
}

/** Refusals are gathered before they are a row, so a row may tell of what was before the one above it. */
function inTime(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  return entries.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.sequence - b.sequence));
}

/** One a line where more may come. */
function print(
  context: TerminalContext,
  { output }: AuditTailOptions,
  entries: readonly AuditEntry[],
  more: boolean,
): void {
  if (output === 'table') {
    const paint = createPaint(context.terminal.output);
    for (const entry of entries) context.print(entryLine(entry, paint));
  } else if (output === 'json' && more) for (const entry of entries) context.print(jsonLine(entry));
  else if (output === 'json') context.print(jsonText(entries));
  else if (more) for (const entry of entries) context.print(`---\n${yamlText(entry)}`);
  else context.print(yamlText(entries));
}

const REFUSALS = ['denied', 'unauthenticated', 'certificate_refused', 'reload_refused'];

function entryLine(
  { at, event, actor, source, operation, object, details, reason, count }: AuditEntry,
  paint: Paint,
): string {
  const objects = details?.objects;
  const parts = [
    at,
    event,
    actor?.principal,
    operation,
    object ?? (objects === undefined ? undefined : counted(objects, 'object')),
    source === undefined ? undefined : `from ${source}`,
    count === undefined || count < 2 ? undefined : `${count} times`,
    reason === undefined ? undefined : `(${reason})`,
  ];
  const line = shown(parts.filter((part) => part !== undefined).join('  '));
  return REFUSALS.includes(event) ? paint('yellow', line) : line;
}

/** As GET /audit/head has it, for a file. */
export async function auditHead(context: TerminalContext, options: ApiOptions): Promise<void> {
  const { send } = await openSession(context, options);
  context.print(jsonText(recordOf(await answered(send, { path: '/audit/head' }))));
}
