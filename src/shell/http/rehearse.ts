import { setTimeout as after } from 'node:timers/promises';
import { FluxgateError } from '../../core/errors.ts';
import type { FleetKind } from '../../core/fleet/objects.ts';
import { kindDefinition } from '../../core/fleet/registry.ts';
import type { FleetSchemas } from '../../core/fleet/schemas.ts';
import type { Log } from '../log.ts';
import type { Handlers } from './handlers/handlers.ts';
import type { Router } from './router.ts';
import { readTarget } from './target.ts';
import { type RehearsedParts, rehearseFirstView } from './ui/rehearse.ts';

export const FIRST_VIEW_REHEARSED = 'the first view of the page is rehearsed';

/** Writes of many clusters, as they are asked for. */
const ASKED = [
  ['PATCH', '/platform_components/any?dry_run=true', { component_version: '1' }],
  ['PATCH', '/clusters/any?dry_run=true', { node_count: 1 }],
  [
    'POST',
    '/bulk?dry_run=true',
    { select: { environment: 'dev' }, operations: [{ op: 'enable', id: 'any' }] },
  ],
] as const;

const CHECKED: readonly FleetKind[] = ['platform_component', 'cluster'];

/** Whoever polls after a start comes before what nobody waits for yet. */
const REST_MS = 250;

/** Between two pieces of code, of which the larger ones take some ten milliseconds to load. */
const LOAD_REST_MS = 20;

/** What an operator's first look and first write need is loaded, done and compiled before they come, for whoever polls meanwhile. Never rejects. */
export async function rehearse(
  parts: RehearsedParts & {
    readonly handlers: Pick<Handlers, 'load'>;
    readonly schemas: FleetSchemas;
    readonly log: Log;
  },
): Promise<void> {
  try {
    await parts.handlers.load(() => after(LOAD_REST_MS, undefined, { ref: false }));
    await rehearseFirstView(parts);
    parts.log.debug(FIRST_VIEW_REHEARSED);
  } catch (error) {
    // Whoever looks first waits a little longer.
    parts.log.debug({ err: error }, 'the first view of the page could not be rehearsed');
  }
  const rest = () => after(REST_MS, undefined, { ref: false });
  rehearseWrites(parts.router, parts.schemas, rest).catch(() => undefined);
}

/**
 * Compiles what the first write would otherwise hold polls up for, 50 ms and more at a time: how bodies and parameters are checked. Nothing
 * is looked up, answered or logged.
 */
export async function rehearseWrites(
  router: Router,
  schemas: FleetSchemas,
  rest: () => Promise<void>,
): Promise<void> {
  for (const kind of CHECKED) {
    await rest();
    schemas.check(kindDefinition(kind).schema, {});
  }
  for (const [method, path, body] of ASKED) {
    const target = readTarget(path);
    const route = router.match(method, target);
    if (!route.found) throw new Error(`${method} ${path} is no route`);
    for (const part of [undefined, body]) {
      await rest();
      try {
        router.validate(route.operation, target, part);
      } catch (error) {
        if (!(error instanceof FluxgateError) || part !== undefined) throw error;
      }
    }
  }
}
