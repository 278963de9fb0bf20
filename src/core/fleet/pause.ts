import type { FleetReader } from './access.ts';
import type { FleetKind, FleetObjects } from './objects.ts';

/**
 * Lets others have their turn when the work at hand has held the event loop for long enough; undefined: it has not. Called for each
 * object of many: polls do not wait for a change of 10,000 clusters.
 */
export type Pause = () => Promise<void> | undefined;

const PAGE = 50;

/** Every object of a kind that the filters select, by id; read page by page, so in a transaction, or checked afterwards. */
export async function listAll<K extends FleetKind>(
  kind: K,
  reader: Pick<FleetReader, 'following'>,
  pause: Pause,
  filters: Readonly<Record<string, string>> = {},
): Promise<readonly FleetObjects[K][]> {
  const all: FleetObjects[K][] = [];
  for (;;) {
    const page = await reader.following(kind, { filters, after: all.at(-1)?.id ?? '', limit: PAGE });
    all.push(...page);
    if (page.length < PAGE) return all;
    await pause();
  }
}
