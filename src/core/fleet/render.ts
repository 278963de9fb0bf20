import { hash } from 'node:crypto';
import { FluxgateError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { CatalogueKind, ClusterInputs } from './access.ts';
import type { RenderedInput } from './kind.ts';
import type { Cluster, FleetObjects } from './objects.ts';
import { fluxRoute } from './registry.ts';

/**
 * The answers of the Flux routes (contract §3). An answer that lacks an entry makes Flux uninstall it: whatever does not
 * fit together here throws, and the last good inputs stay in force on the cluster.
 */
export interface RenderedInputs {
  readonly inputs: readonly RenderedInput[];
}

/** Same data, same order, same keys: the same text from serialiseInputs. Throws `unavailable`, never shrinks. */
export function renderInputs<K extends CatalogueKind>(
  kind: K,
  { cluster, entries }: Pick<ClusterInputs<K>, 'cluster' | 'entries'>,
): RenderedInputs {
  const route = fluxRoute(kind);
  const assigned = cluster[route.assignedIn];
  if (entries.length !== assigned.length) {
    throw untruthful(`${route.assignedIn} has ${assigned.length} entries, the store gave ${entries.length}`);
  }
  const seen = new Set<string>();
  const inputs = entries.map((entry: FleetObjects[K], position) => {
    if (entry.id !== assigned[position]?.id) {
      throw untruthful(`${route.assignedIn}/${position} is not the entry that the store gave`);
    }
    if (seen.has(entry.id)) throw untruthful(`${route.assignedIn}/${position} repeats an id`);
    seen.add(entry.id);
    return route.render(cluster, entry, position);
  });
  return { inputs };
}

/** `GET /api/v2/flux/clusters`, in the order given. */
export function renderClusterList(clusters: readonly Cluster[]): RenderedInputs {
  return {
    inputs: clusters.map(({ id, cluster_name, cluster_dns, environment }) => ({
      id,
      cluster_name,
      cluster_dns,
      environment,
    })),
  };
}

/** What is said of the asker's own certificate, beside `inputs`: Flux ignores it, people find it. */
export interface OwnCertificate {
  /** RFC 3339, UTC. */
  readonly not_after: string;
  readonly sha256: string;
}

/** The end of an answer to this certificate's holder; the same for as long as it lives. Neither text holds what JSON would escape. */
export function certificateText(certificate: OwnCertificate): string {
  return `,"certificate":{"not_after":"${certificate.not_after}","sha256":"${certificate.sha256}"}}`;
}

/**
 * What is said of the certificate (`certificateText`) comes after the inputs, and is the first to go when there is no room. `inputs`: of
 * serialiseInputs.
 */
export function besideInputs(inputs: string, last: string): string {
  const octets = Buffer.byteLength(inputs) - 1 + Buffer.byteLength(last);
  return octets > LIMITS.fluxBodyBytesMax ? inputs : inputs.slice(0, -1) + last;
}

/** The text of the body. Throws `unavailable` above Flux Operator's bound: a shortened answer would uninstall the rest. */
export function serialiseInputs(rendered: RenderedInputs): string {
  const text = JSON.stringify({ inputs: rendered.inputs });
  const octets = Buffer.byteLength(text);
  if (octets <= LIMITS.fluxBodyBytesMax) return text;
  throw new FluxgateError(
    'unavailable',
    `The answer has ${octets} bytes and Flux Operator accepts ${LIMITS.fluxBodyBytesMax}. ` +
      'It is refused, not shortened: Flux would uninstall what is left out. Assign fewer or smaller entries.',
  );
}

/** Of the text of serialiseInputs, as UTF-8: what a cluster was served last is held against what it would be served now. */
export const inputsDigest = (text: string): string => `sha256:${hash('sha256', text, 'hex')}`;

function untruthful(logged: string): FluxgateError {
  return new FluxgateError('unavailable', 'The inputs cannot be given truthfully now. Try again later.', {
    logged,
  });
}
