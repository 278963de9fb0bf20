import type { ErrorDetail } from '../errors.ts';
import { pointer, present } from './canonical.ts';
import type { FleetReference, KindDefinition, RawObject, RenderedInput } from './kind.ts';
import type { Cluster, PlatformComponent, Verification } from './objects.ts';
import { renderCluster } from './render-cluster.ts';
import { duplicateIds } from './rules.ts';
import { signerProblems } from './signers.ts';
import { tagProblem, urlProblems } from './sources.ts';

type RawComponent = Omit<PlatformComponent, 'cluster_env_enabled' | 'depends_on'> &
  Partial<Pick<PlatformComponent, 'cluster_env_enabled' | 'depends_on'>>;

export const PLATFORM_COMPONENTS: KindDefinition<'platform_component'> = Object.freeze({
  kind: 'platform_component',
  title: 'platform component',
  collection: 'platform_components',
  schema: 'PlatformComponent',
  fields: Object.freeze([
    'id',
    'component_path',
    'component_version',
    'cluster_env_enabled',
    'oci_url',
    'oci_tag',
    'depends_on',
    'verify',
  ] as const),
  filters: Object.freeze(['component_version']),
  unique: Object.freeze([]),
  refersTo: Object.freeze(['platform_component'] as const),
  normalise,
  rules,
  references,
  flux: Object.freeze({ segment: 'platform-components', assignedIn: 'platform_components', render } as const),
});

function normalise(checked: RawObject): PlatformComponent {
  const raw = checked as unknown as RawComponent;
  return {
    id: raw.id,
    component_path: raw.component_path,
    component_version: raw.component_version,
    cluster_env_enabled: raw.cluster_env_enabled ?? false,
    oci_url: raw.oci_url,
    oci_tag: raw.oci_tag,
    depends_on: [...(raw.depends_on ?? [])],
    ...present({ verify: raw.verify === undefined ? undefined : verification(raw.verify) }),
  };
}

function verification({ provider, match_oidc_identity: signers }: Verification): Verification {
  return { provider, match_oidc_identity: signers.map(({ issuer, subject }) => ({ issuer, subject })) };
}

function rules(component: PlatformComponent): ErrorDetail[] {
  const itself = component.depends_on.indexOf(component.id);
  const tag = tagProblem(component.oci_url, component.oci_tag);
  return [
    ...urlProblems(component.oci_url),
    ...(tag === undefined ? [] : [{ field: '/oci_tag', problem: tag }]),
    ...signerProblems(component),
    ...duplicateIds('depends_on', component.depends_on),
    ...(itself === -1
      ? []
      : [{ field: pointer('depends_on', itself), problem: 'must not be the component itself: remove it' }]),
  ];
}

function references(component: PlatformComponent): FleetReference[] {
  return component.depends_on.map((id, position) => ({
    field: pointer('depends_on', position),
    list: 'depends_on',
    position,
    kind: 'platform_component',
    id,
  }));
}

/** What the cluster says of path and tag goes before the catalogue; the rest is always the catalogue's (contract §3). */
function render(cluster: Cluster, entry: PlatformComponent, position: number): RenderedInput {
  const assignment = cluster.platform_components[position];
  if (assignment?.id !== entry.id) throw new Error(`platform_components/${position} is not ${entry.id}`);
  return {
    id: entry.id,
    component_path: assignment.component_path ?? entry.component_path,
    component_version: entry.component_version,
    cluster_env_enabled: entry.cluster_env_enabled,
    depends_on: entry.depends_on,
    enabled: assignment.enabled,
    patches: ownEntries(cluster.patches, entry.id),
    // A cluster without any is answered with exactly the keys of the contract; in any other, each input has the same keys.
    ...(cluster.secret_refs === undefined ? {} : { secret_refs: ownEntries(cluster.secret_refs, entry.id) }),
    // Only where there is one: an empty one would be Flux's word for "whoever signed".
    ...(entry.verify === undefined ? {} : { verify: entry.verify }),
    cluster: renderCluster(cluster),
    source: { oci_url: entry.oci_url, oci_tag: assignment.oci_tag ?? entry.oci_tag },
  };
}

/** Own keys only: a component may be called "constructor". */
function ownEntries<T>(
  byComponent: Readonly<Record<string, Readonly<Record<string, T>>>> | undefined,
  id: string,
): Readonly<Record<string, T>> {
  return (byComponent !== undefined && Object.hasOwn(byComponent, id) ? byComponent[id] : undefined) ?? {};
}
