import type { FleetKind } from '../../core/fleet/objects.ts';
import { kindDefinition } from '../../core/fleet/registry.ts';

type Query = Readonly<Record<string, unknown>>;

/** The filters of a list: those parameters that the kind declares. */
export function filtersOf(kind: FleetKind, query: Query): Readonly<Record<string, string>> {
  const filters: Record<string, string> = {};
  for (const name of kindDefinition(kind).filters) {
    const value = query[name];
    if (typeof value === 'string') filters[name] = value;
  }
  return filters;
}

/** A parameter that the document declares as an integer; validated and coerced before it comes here. */
export function numberOf(value: unknown, absent: number): number {
  return typeof value === 'number' ? value : absent;
}

/** What a list says of itself besides its items: how many there are, and where the next page is (RFC 8288). */
export function pageHeaders(
  path: string,
  filters: Readonly<Record<string, string>>,
  page: { readonly limit: number; readonly offset: number; readonly items: number; readonly total: number },
): Record<string, string> {
  const headers: Record<string, string> = { 'X-Total-Count': String(page.total) };
  const next = page.offset + page.items;
  if (page.items > 0 && next < page.total) {
    const more = new URLSearchParams({ ...filters, limit: String(page.limit), offset: String(next) });
    headers['Link'] = `<${path}?${more}>; rel="next"`;
  }
  return headers;
}
