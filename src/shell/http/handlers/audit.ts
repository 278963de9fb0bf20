import type { AuditEvent } from '../../../core/audit/entry.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { numberOf, pageHeaders } from '../parameters.ts';
import type { Handler, HandlerParts } from './handlers.ts';

/** Who did what: the trail, and its end to be kept elsewhere. */
export function auditHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  const { audit, store } = parts;
  switch (operation.operationId) {
    case 'listAudit':
      return async ({ parameters: { query } }) => {
        // What was refused a moment ago is gathered still.
        await audit.flush();
        const asked = FILTERS.flatMap((name) =>
          name in query ? [[name, String(query[name])] as const] : [],
        );
        const filters = Object.fromEntries(
          asked.map(([name, text]) => [name, INSTANTS.includes(name) ? asStored(text) : text]),
        );
        const limit = numberOf(query['limit'], LIMITS.pageItemsMax);
        const offset = numberOf(query['offset'], 0);
        const { event, ...others } = filters;
        const { items, total } = await store.audit.list({
          ...others,
          event: event as AuditEvent | undefined,
          limit,
          offset,
        });
        const headers = pageHeaders(operation.path, filters, { limit, offset, items: items.length, total });
        return { status: 200, body: items, headers };
      };
    case 'getAuditHead':
      return async () => {
        await audit.flush();
        return { status: 200, body: await audit.head() };
      };
    default:
      return undefined;
  }
}

const FILTERS = ['event', 'principal', 'object', 'operation', 'request_id', 'since', 'until'] as const;
const INSTANTS: readonly string[] = ['since', 'until'];

/** Entries are compared with it as text, so it is spelt as theirs: with milliseconds. */
function asStored(instant: string): string {
  return new Date(instant).toISOString();
}
