import { createHash } from 'node:crypto';
import { type AuditEntry, OURSELVES } from '../../core/audit/entry.ts';
import type { ChangeOrigin } from '../../core/fleet/history.ts';
import type { FleetKind } from '../../core/fleet/objects.ts';
import type { Pause } from '../../core/fleet/pause.ts';
import { type ChangedObject, diffFields, type FieldChange } from '../../core/fleet/plan.ts';

/** One object that a transaction changed: its documents as text; null: it was not there. */
export interface ChangedDocument {
  readonly kind: FleetKind;
  readonly id: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Objects whose fields an entry shows; the others are in the revision, and their hash is in the entry. */
const SHOWN_MAX = 50;

/** What a revision was, for the trail: who asked, what changed field by field, and what it meant for clusters. */
export async function fleetEntry(
  revision: number,
  changed: readonly ChangedDocument[],
  origin: ChangeOrigin,
  plan: object | undefined,
  pause: Pause,
): Promise<AuditEntry> {
  const [only] = changed;
  return {
    at: new Date(origin.atMs).toISOString(),
    event: 'fleet_changed',
    ...(origin.request ?? { actor: { ...OURSELVES, principal: origin.author } }),
    ...(changed.length === 1 && only !== undefined ? { object: `${only.kind}/${only.id}` } : {}),
    ...(origin.reason === undefined ? {} : { reason: origin.reason }),
    details: {
      revision,
      action: origin.action,
      objects: changed.length,
      changes: changed.slice(0, SHOWN_MAX).map(shown),
      // Of all of them, so that the revision's own record can be held against it.
      changes_sha256: await digestOf(changed, pause),
      ...(plan === undefined ? {} : { plan }),
    },
  };
}

function shown({ kind, id, before, after }: ChangedDocument): ChangedObject {
  const parse = (text: string | null): unknown => (text === null ? undefined : JSON.parse(text));
  const change = before === null ? 'created' : after === null ? 'deleted' : 'replaced';
  return { kind, id, change, fields: diffFields(parse(before), parse(after)).map(withoutPatch) };
}

/**
 * What a patch says is in the fleet and its revisions, which end; rows of the trail never do. A secret that got into one would be
 * told for ever by the very change that takes it out.
 */
function withoutPatch(change: FieldChange): FieldChange {
  if (!change.field.startsWith('/patches')) return change;
  const { before, after, field } = change;
  return {
    field,
    ...(before === undefined ? {} : { before: '(not shown)' }),
    ...(after === undefined ? {} : { after: '(not shown)' }),
  };
}

async function digestOf(changed: readonly ChangedDocument[], pause: Pause): Promise<string> {
  const hash = createHash('sha256');
  for (const { kind, id, before, after } of changed) {
    hash.update(`${JSON.stringify([kind, id, before, after])}\n`);
    await pause();
  }
  return hash.digest('hex');
}
