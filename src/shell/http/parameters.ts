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
