import { type ErrorCode, FluxgateError } from '../../../src/core/errors.ts';
import type { ListQuery, ObjectName, Page } from '../../../src/core/fleet/access.ts';
import type { FleetKind, FleetObject } from '../../../src/core/fleet/objects.ts';
import { referencesOf } from '../../../src/core/fleet/registry.ts';

/** What the store promises, in the plainest way: a map, searched from end to end. */
export class FleetModel {
  readonly #objects = new Map<string, { readonly kind: FleetKind; readonly object: FleetObject }>();

  copy(): FleetModel {
    const copy = new FleetModel();
    for (const [key, entry] of this.#objects) copy.#objects.set(key, entry);
    return copy;
  }

  get(kind: FleetKind, id: string): FleetObject | undefined {
    return this.#objects.get(`${kind}/${id}`)?.object;
  }

  insert(kind: FleetKind, object: FleetObject): void {
    if (this.get(kind, object.id) !== undefined) refuse('conflict');
    this.#put(kind, object);
  }

  replace(kind: FleetKind, object: FleetObject): void {
    if (this.get(kind, object.id) === undefined) refuse('not_found');
    this.#put(kind, object);
  }

  remove(kind: FleetKind, id: string): void {
    if (this.get(kind, id) === undefined) refuse('not_found');
    if (this.usersOf(kind, id).total > 0) refuse('in_use');
    this.#objects.delete(`${kind}/${id}`);
  }

  list(kind: FleetKind, { filters, limit, offset }: ListQuery): Page<FleetObject> {
    const matching = [...this.#objects.values()]
      .filter((entry) => entry.kind === kind)
      .map(({ object }) => object)
      .filter((object) =>
        Object.entries(filters).every(([field, value]) => Reflect.get(object, field) === value),
      )
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    return { items: matching.slice(offset, offset + limit), total: matching.length };
  }

  usersOf(kind: FleetKind, id: string): Page<ObjectName> {
    const users = [...this.#objects.values()].filter((entry) =>
      referencesOf(entry.kind, entry.object).some(
        (reference) => reference.kind === kind && reference.id === id,
      ),
    );
    const names = users.map((entry) => ({ kind: entry.kind, id: entry.object.id }));
    return { items: names, total: names.length };
  }

  #put(kind: FleetKind, object: FleetObject): void {
    if (kind === 'cluster' && 'cluster_dns' in object) {
      const { items } = this.list('cluster', {
        filters: { cluster_dns: object.cluster_dns },
        limit: 1,
        offset: 0,
      });
      if (items[0] !== undefined && items[0].id !== object.id) refuse('conflict');
    }
    const missing = referencesOf(kind, object).some(
      (reference) => this.get(reference.kind, reference.id) === undefined,
    );
    if (missing) refuse('validation_error');
    this.#objects.set(`${kind}/${object.id}`, { kind, object });
  }
}

function refuse(code: ErrorCode): never {
  throw new FluxgateError(code, code);
}
