import type { Config } from '../core/config.ts';
import type { FleetStatus } from './fleet-status.ts';
import { rehearse } from './http/rehearse.ts';
import type { Liveness } from './liveness.ts';
import type { Sightings } from './sightings.ts';

/**
 * Once the gateway listens: who was seen before, and the fleet, are read before somebody asks how they are, and what operators need is
 * loaded and compiled. What fails is tried again by whoever asks.
 */
export function readAhead(
  parts: Parameters<typeof rehearse>[0] & {
    readonly config: Pick<Config, 'apiMode'>;
    readonly sightings: Pick<Sightings, 'presentations'>;
    readonly liveness: Pick<Liveness, 'refresh'>;
    readonly fleetStatus: Pick<FleetStatus, 'verify'>;
  },
): void {
  const { config, sightings, liveness, fleetStatus } = parts;
  for (const read of [sightings.presentations.loaded, liveness.refresh]) void read().catch(() => undefined);
  if (config.apiMode !== 'crud') return;
  void rehearse(parts)
    .finally(() => fleetStatus.verify())
    .catch(() => undefined);
}
